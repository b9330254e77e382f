-- What is overdue today, by collector and currency: never added up across currencies.
SELECT accounts.company AS company, accounts.collector_id AS collector_id, aging.currency AS currency,
    sum(arraySum(bucket -> bucket.amount, aging.buckets)) AS overdue, count() AS accounts
FROM {{ source('arrears', 'account_aging') }} AS aging
INNER JOIN {{ source('arrears', 'accounts') }} AS accounts
    ON accounts.company = aging.company AND accounts.account_id = aging.account_id
GROUP BY company, collector_id, currency
