// @binance/connector, Binance's own for JavaScript: what it calls the same things, and what the README says to set. It has no futures.
"use strict";

const { freeOf, namesOf, orderOf, ordersOf } = require("./documents.cjs");

module.exports = (job, load) => {
  const { Spot, PrivateKeyAlgo } = load("@binance/connector");
  const options = { baseURL: job.addresses.spot };
  const isPrivateKey = job.secret.includes("PRIVATE KEY");
  if (isPrivateKey) {
    options.privateKey = job.secret;
    options.privateKeyAlgo = job.secret.length < 200 ? PrivateKeyAlgo.ED25519 : PrivateKeyAlgo.RSA;
  }
  const client = new Spot(job.api_key, isPrivateKey ? "" : job.secret, options);
  const limit = { timeInForce: "GTC" };
  let orderId = "";
  const remembered = (document) => {
    const order = orderOf(document);
    orderId = order.order_id;
    return order;
  };

  return {
    time: async () => (await client.time()).data.serverTime,
    markets: async () => ({ spot: namesOf([(await client.exchangeInfo()).data]) }),
    price: async ({ symbol }) => (await client.tickerPrice(symbol)).data.price,
    balances: async () => freeOf((await client.account()).data.balances),
    open_orders: async (which) => ordersOf((await client.openOrders(which)).data),
    create_order: async ({ symbol, side, ...rest }) =>
      remembered((await client.newOrder(symbol, side, "LIMIT", { ...limit, ...rest })).data),
    query_order: async ({ symbol }) => orderOf((await client.getOrder(symbol, { orderId })).data),
    find_order: async ({ symbol, origClientOrderId }) =>
      orderOf((await client.getOrder(symbol, { origClientOrderId })).data),
    replace_order: async ({ symbol, side, ...rest }) => {
      const how = { ...limit, ...rest, cancelOrderId: orderId };
      const done = await client.cancelAndReplace(symbol, side, "LIMIT", "STOP_ON_FAILURE", how);
      return remembered(done.data.newOrderResponse);
    },
    amend_order: async (wanted) => {
      const which = { ...wanted, orderId };
      return orderOf((await client.signRequest("PUT", "/api/v3/order/amend/keepPriority", which)).data.amendedOrder);
    },
    cancel_order: async ({ symbol }) => ({
      order_id: String((await client.cancelOrder(symbol, { orderId })).data.orderId),
    }),
    cancel_all: async ({ symbol }) =>
      (await client.cancelOpenOrders(symbol)).data.map((order) => ({ order_id: String(order.orderId) })),
    order_list: async ({ symbol, side, quantity, aboveType, belowType, ...rest }) =>
      ordersOf((await client.newOCOOrder(symbol, side, quantity, aboveType, belowType, rest)).data.orders),
    withdraw: async ({ coin, address, amount, ...rest }) => (await client.withdraw(coin, address, amount, rest)).data.id,
    transfer: async ({ type, asset, amount }) =>
      String((await client.userUniversalTransfer(type, asset, amount)).data.tranId),
    listen_key: async () => {
      const { listenKey } = (await client.createListenKey()).data;
      await client.renewListenKey(listenKey);
      await client.closeListenKey(listenKey);
      return listenKey;
    },
  };
};
