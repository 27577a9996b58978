select
    coalesce(alerts.label_en, customer_alerts.alert_code) as alert_en,
    coalesce(alerts.label_zh, '') as alert_zh,
    count(*) filter (where customer_alerts.severity = 'high') as high,
    count(*) filter (where customer_alerts.severity = 'medium') as medium,
    count(*) filter (where customer_alerts.severity = 'low') as low
from marts.customer_alerts
left join marts.labels as alerts
    on alerts.kind = 'alert' and customer_alerts.alert_code = alerts.code
where customer_alerts.is_open
group by 1, 2
order by 3 desc, 4 desc, 5 desc, 1
