// How the results of a job are told, of the exchange's own documents.
"use strict";

const orderOf = (document) => ({ order_id: String(document.orderId), client_order_id: document.clientOrderId });
const ordersOf = (documents) => documents.map(orderOf);
const freeOf = (balances) => Object.fromEntries(balances.map(({ asset, free }) => [asset, free]));
const namesOf = (documents) => documents.flatMap(({ symbols }) => symbols.map(({ symbol }) => symbol)).sort();

module.exports = { freeOf, namesOf, orderOf, ordersOf };
