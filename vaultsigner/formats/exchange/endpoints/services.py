"""Earn, staking, loans, fiat, gift cards and other services, /sapi. Source: Binance's documentation of each.

What they do with value is their own affair: all that changes anything is `exchange.other`, with the fields there are, so that
a rule can name one endpoint and bound it. Whatever is not listed is `exchange.other` without fields.
"""

from vaultsigner.formats.exchange.endpoint import Endpoint, endpoint, queries

_EARN = "Simple Earn, "
_STAKING = "Staking, "

ENDPOINTS: tuple[Endpoint, ...] = (
    *queries(
        "/sapi/v1/simple-earn/",
        "account flexible/list flexible/position flexible/personalLeftQuota flexible/subscriptionPreview "
        "flexible/history/collateralRecord flexible/history/redemptionRecord flexible/history/rewardsRecord "
        "flexible/history/subscriptionRecord flexible/history/rateHistory locked/list locked/position "
        "locked/personalLeftQuota locked/subscriptionPreview locked/history/redemptionRecord locked/history/rewardsRecord "
        "locked/history/subscriptionRecord",
        f"{_EARN}Flexible and Locked",
    ),
    *(
        row
        for coin in ("bfusd", "rwusd")
        for row in queries(
            f"/sapi/v1/{coin}/",
            "account quota history/rateHistory history/redemptionHistory history/rewardsHistory history/subscriptionHistory",
            f"{_EARN}{coin.upper()}",
        )
    ),
    *queries("/sapi/v1/earn/", "arena/activities", f"{_EARN}Yield Arena"),
    *queries("/sapi/v2/", "eth-staking/account", f"{_STAKING}ETH Staking"),
    *queries(
        "/sapi/v1/eth-staking/",
        "account eth/quota eth/history/redemptionHistory eth/history/stakingHistory eth/history/rateHistory "
        "eth/history/rewardsHistory eth/history/wbethRewardsHistory wbeth/history/unwrapHistory wbeth/history/wrapHistory",
        f"{_STAKING}ETH Staking",
    ),
    *queries(
        "/sapi/v1/sol-staking/",
        "account sol/quota sol/history/rateHistory sol/history/bnsolRewardsHistory sol/history/boostRewardsHistory "
        "sol/history/redemptionHistory sol/history/stakingHistory sol/history/unclaimedRewards",
        f"{_STAKING}SOL Staking",
    ),
    *queries(
        "/sapi/v1/onchain-yields/",
        "account locked/personalLeftQuota locked/list locked/position locked/history/redemptionRecord "
        "locked/history/rewardsRecord locked/subscriptionPreview locked/history/subscriptionRecord",
        f"{_STAKING}On-chain Yields",
    ),
    *queries("/sapi/v1/soft-staking/", "list history/rewardsRecord", f"{_STAKING}Soft Staking"),
    *queries(
        "/sapi/v2/loan/",
        "flexible/repay/rate flexible/loanable/data flexible/borrow/history flexible/collateral/data interestRateHistory "
        "flexible/liquidation/history flexible/ltv/adjustment/history flexible/ongoing/orders flexible/repay/history",
        "Crypto Loan, Flexible Rate",
    ),
    *queries(
        "/sapi/v1/loan/",
        "income borrow/history ltv/adjustment/history repay/history",
        "Crypto Loan, Stable Rate",
    ),
    *queries(
        "/sapi/v1/loan/vip/",
        "request/interestRate request/data collateral/data collateral/account loanable/data interestRateHistory fixed/market "
        "accruedInterest ongoing/orders repay/history",
        "VIP Loan",
    ),
    *queries("/sapi/v1/dci/product/", "list accounts positions", "Dual Investment"),
    *queries("/sapi/v1/fiat/", "orders payments get-order-detail", "Fiat"),
    *queries("/sapi/v1/giftcard/", "cryptography/rsa-public-key buyCode/token-limit", "Gift Card"),
    *queries(
        "/sapi/v1/mining/",
        "statistics/user/list statistics/user/status payment/list payment/other payment/uid worker/detail worker/list "
        "hash-transfer/profit/details hash-transfer/config/details/list",
        "Mining",
    ),
    *queries("/sapi/v1/mining/pub/", "algoList coinList", "Mining", security="market_data"),
    *queries("/sapi/v1/", "c2c/orderMatch/listUserOrderHistory", "C2C"),
    *queries("/sapi/v1/", "pay/transactions", "Pay"),
    *queries("/sapi/v1/", "rebate/taxQuery", "Rebate"),
    *queries("/sapi/v1/copyTrading/futures/", "userStatus leadSymbol", "Copy Trading"),
    *queries("/sapi/v1/nft/", "history/transactions history/deposit history/withdraw user/getAsset", "NFT"),
    endpoint(
        "GET /sapi/v1/soft-staking/set", "other", "softStaking!", f"{_STAKING}Soft Staking: Set Soft Staking"
    ),
    *(
        endpoint(f"POST /sapi/v1/simple-earn/{path}", "other", words, f"{_EARN}Flexible and Locked: {title}")
        for path, words, title in (
            (
                "flexible/subscribe",
                "productId! amount! autoSubscribe sourceAccount",
                "Subscribe Flexible Product",
            ),
            (
                "locked/subscribe",
                "projectId! amount! autoSubscribe sourceAccount redeemTo",
                "Subscribe Locked Product",
            ),
            ("flexible/redeem", "productId! redeemAll amount destAccount", "Redeem Flexible Product"),
            ("locked/redeem", "positionId!", "Redeem Locked Product"),
            ("flexible/setAutoSubscribe", "productId! autoSubscribe!", "Set Flexible Auto Subscribe"),
            ("locked/setAutoSubscribe", "positionId! autoSubscribe!", "Set Locked Auto Subscribe"),
            ("locked/setRedeemOption", "positionId! redeemTo!", "Set Locked Product Redeem Option"),
        )
    ),
    *(
        endpoint(f"POST /sapi/v1/{coin}/{what}", "other", words, f"{_EARN}{coin.upper()}: {what}")
        for coin in ("bfusd", "rwusd")
        for what, words in (("subscribe", "asset! amount!"), ("redeem", "amount! type!"))
    ),
    *(
        endpoint(f"POST /sapi/{path}", "other", words, f"{_STAKING}{title}")
        for path, words, title in (
            ("v2/eth-staking/eth/stake", "amount!", "ETH Staking: Subscribe ETH Staking"),
            ("v1/eth-staking/eth/redeem", "amount! asset", "ETH Staking: Redeem ETH"),
            ("v1/eth-staking/wbeth/wrap", "amount!", "ETH Staking: Wrap BETH"),
            ("v1/sol-staking/sol/stake", "amount!", "SOL Staking: Subscribe SOL Staking"),
            ("v1/sol-staking/sol/redeem", "amount!", "SOL Staking: Redeem SOL"),
            ("v1/sol-staking/sol/claim", "", "SOL Staking: Claim Boost Rewards"),
        )
    ),
    *(
        endpoint(
            f"POST /sapi/v2/loan/flexible/{path}", "other", words, f"Crypto Loan, Flexible Rate: {title}"
        )
        for path, words, title in (
            (
                "borrow",
                "loanCoin!:coin collateralCoin! loanAmount:amount collateralAmount",
                "Flexible Loan Borrow",
            ),
            (
                "repay",
                "loanCoin!:coin collateralCoin! repayAmount!:amount collateralReturn fullRepayment repaymentType",
                "Flexible Loan Repay",
            ),
            (
                "adjust/ltv",
                "loanCoin! collateralCoin!:coin adjustmentAmount!:amount direction!",
                "Flexible Loan Adjust LTV",
            ),
        )
    ),
    endpoint(
        "POST /sapi/v2/fiat/withdraw",
        "withdraw",
        "currency!:coin apiPaymentMethod! amount! accountInfo! ext",
        "Fiat: Fiat Withdraw",
    ),
    endpoint(
        "POST /sapi/v1/giftcard/createCode",
        "withdraw",
        "token!:coin amount!",
        "Gift Card: Create a single-token gift card",
    ),
    endpoint(
        "POST /sapi/v1/giftcard/buyCode",
        "withdraw",
        "baseToken!:coin faceToken! baseTokenAmount!:amount",
        "Gift Card: Create a dual-token gift card",
    ),
    endpoint(
        "POST /sapi/v1/giftcard/redeemCode",
        "other",
        "code! externalUid",
        "Gift Card: Redeem a Binance Gift Card",
    ),
)
"""Whoever has a gift card's code has what is in it: to create one is to send value to an address that nobody has named."""
