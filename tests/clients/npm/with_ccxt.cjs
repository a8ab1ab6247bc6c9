// ccxt for JavaScript: what it calls the same things, and what the README says to set.
"use strict";

const { freeOf, orderOf, ordersOf } = require("./documents.cjs");

const HOSTS = { spot: "https://api.binance.com", usdm: "https://fapi.binance.com", coinm: "https://dapi.binance.com" };
const SWAP = "BTC/USDT:USDT";

module.exports = (job, load) => {
  const ccxt = load("ccxt");
  // Its two questions for margin pairs go out at once, alike but for their paths: one signature for two requests.
  const options = { fetchMargins: false };
  const exchange = new ccxt.binance({ apiKey: job.api_key, secret: job.secret, options });
  for (const [name, url] of Object.entries(exchange.urls.api)) {
    const [product, host] = Object.entries(HOSTS).find(([, known]) => url.startsWith(known)) ?? [];
    if (product) exchange.urls.api[name] = url.replace(host, job.addresses[product]);
  }
  let orderId = "";
  const remembered = (order) => ((orderId = order.id), orderOf(order.info));
  const symbolOf = async (id) =>
    Object.values(await exchange.loadMarkets()).find((market) => market.id === id && market.spot).symbol;
  const create = (symbol, { side, quantity, price, newClientOrderId }) => {
    const names = newClientOrderId ? { newClientOrderId } : {};
    return exchange.createOrder(symbol, "limit", side.toLowerCase(), Number(quantity), Number(price), names);
  };
  const edit = (symbol, { side, quantity, price }) =>
    exchange.editOrder(orderId, symbol, "limit", side.toLowerCase(), Number(quantity), Number(price));

  return {
    time: () => exchange.fetchTime(),
    markets: async () => {
      const markets = Object.values(await exchange.loadMarkets());
      const ids = (type) => markets.filter((market) => market.type === type).map((market) => market.id).sort();
      return { spot: ids("spot"), swap: ids("swap") };
    },
    price: async (which) => (await exchange.publicGetTickerPrice(which)).price,
    balances: async () => freeOf((await exchange.fetchBalance()).info.balances),
    open_orders: async ({ symbol }) => {
      const orders = await exchange.fetchOpenOrders(await symbolOf(symbol));
      return ordersOf(orders.map(({ info }) => info));
    },
    create_order: async (wanted) => remembered(await create(await symbolOf(wanted.symbol), wanted)),
    query_order: async ({ symbol }) => orderOf((await exchange.fetchOrder(orderId, await symbolOf(symbol))).info),
    find_order: async ({ symbol, origClientOrderId }) =>
      orderOf((await exchange.fetchOrder("", await symbolOf(symbol), { origClientOrderId })).info),
    replace_order: async (wanted) => remembered(await edit(await symbolOf(wanted.symbol), wanted)),
    amend_order: async (wanted) => {
      const which = { ...wanted, orderId };
      const done = await exchange.request("order/amend/keepPriority", "private", "PUT", which);
      return orderOf(done.amendedOrder);
    },
    cancel_order: async ({ symbol }) => ({
      order_id: (await exchange.cancelOrder(orderId, await symbolOf(symbol))).id,
    }),
    cancel_all: async ({ symbol }) => {
      const orders = await exchange.cancelAllOrders(await symbolOf(symbol));
      return orders.map(({ id }) => ({ order_id: id }));
    },
    order_list: async (wanted) => ordersOf((await exchange.privatePostOrderListOco(wanted)).orders),
    withdraw: async ({ coin, amount, address, network, name }) =>
      (await exchange.withdraw(coin, Number(amount), address, { network, name })).id,
    transfer: async (wanted) => String((await exchange.sapiPostAssetTransfer(wanted)).tranId),
    listen_key: async () => {
      const made = await exchange.publicPostUserDataStream();
      await exchange.publicPutUserDataStream(made);
      await exchange.publicDeleteUserDataStream(made);
      return made.listenKey;
    },
    futures_order: async (wanted) => {
      await exchange.loadMarkets();
      return remembered(await create(SWAP, wanted));
    },
    futures_replace: async (wanted) => remembered(await edit(SWAP, wanted)),
    futures_batch: async ({ side, quantity, price }) => {
      const one = { symbol: SWAP, type: "limit", side: side.toLowerCase(), amount: Number(quantity), price: Number(price) };
      return ordersOf((await exchange.createOrders([one, one])).map(({ info }) => info));
    },
    futures_leverage: async ({ leverage }) => String((await exchange.setLeverage(Number(leverage), SWAP)).leverage),
    coin_futures_order: async (wanted) => {
      await exchange.loadMarkets();
      return remembered(await create("BTC/USD:BTC", wanted));
    },
  };
};
