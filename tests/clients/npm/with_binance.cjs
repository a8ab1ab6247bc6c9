// The package binance: what it calls the same things, and what the README says to set.
"use strict";

const { freeOf, namesOf, orderOf, ordersOf } = require("./documents.cjs");

module.exports = (job, load) => {
  const { CoinMClient, MainClient, USDMClient } = load("binance");
  const key = { api_key: job.api_key, api_secret: job.secret };
  const spot = new MainClient({ ...key, baseUrl: job.addresses.spot });
  const usdm = new USDMClient({ ...key, baseUrl: job.addresses.usdm });
  const coinm = new CoinMClient({ ...key, baseUrl: job.addresses.coinm });
  const limit = { type: "LIMIT", timeInForce: "GTC" };
  let orderId = "";
  const remembered = (document) => {
    const order = orderOf(document);
    orderId = order.order_id;
    return order;
  };

  return {
    // Its getServerTime() asks api.binance.com whatever baseUrl says.
    time: async () => (await spot.get("api/v3/time")).serverTime,
    markets: async () => ({
      spot: namesOf([await spot.getExchangeInfo()]),
      swap: namesOf([await usdm.getExchangeInfo(), await coinm.getExchangeInfo()]),
    }),
    price: async (which) => (await spot.getSymbolPriceTicker(which)).price,
    balances: async () => freeOf((await spot.getAccountInformation()).balances),
    open_orders: async (which) => ordersOf(await spot.getOpenOrders(which)),
    create_order: async (wanted) => remembered(await spot.submitNewOrder({ ...limit, ...wanted })),
    query_order: async ({ symbol }) => orderOf(await spot.getOrder({ symbol, orderId })),
    find_order: async (which) => orderOf(await spot.getOrder(which)),
    replace_order: async (wanted) => {
      const how = { cancelReplaceMode: "STOP_ON_FAILURE", cancelOrderId: orderId };
      return remembered((await spot.replaceOrder({ ...limit, ...wanted, ...how })).newOrderResponse);
    },
    // Its amendOrderKeepPriority() asks for a path that there is not.
    amend_order: async (wanted) =>
      orderOf((await spot.putPrivate("api/v3/order/amend/keepPriority", { ...wanted, orderId })).amendedOrder),
    cancel_order: async ({ symbol }) => ({ order_id: String((await spot.cancelOrder({ symbol, orderId })).orderId) }),
    cancel_all: async (which) =>
      (await spot.cancelAllSymbolOrders(which)).map((order) => ({ order_id: String(order.orderId) })),
    order_list: async (wanted) => ordersOf((await spot.submitNewOrderList(wanted)).orders),
    withdraw: async (wanted) => (await spot.withdraw(wanted)).id,
    transfer: async (wanted) => String((await spot.submitUniversalTransfer(wanted)).tranId),
    listen_key: async () => {
      const { listenKey } = await spot.getSpotUserDataListenKey();
      await spot.keepAliveSpotUserDataListenKey(listenKey);
      await spot.closeSpotUserDataListenKey(listenKey);
      return listenKey;
    },
    futures_order: async (wanted) => remembered(await usdm.submitNewOrder({ ...limit, ...wanted })),
    futures_replace: async (wanted) => remembered(await usdm.modifyOrder({ ...wanted, orderId })),
    futures_batch: async (wanted) => {
      const one = { ...limit, ...wanted };
      return ordersOf(await usdm.submitMultipleOrders([{ ...one }, { ...one }]));
    },
    futures_leverage: async (wanted) => String((await usdm.setLeverage(wanted)).leverage),
    coin_futures_order: async (wanted) => remembered(await coinm.submitNewOrder({ ...limit, ...wanted })),
  };
};
