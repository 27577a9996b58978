select
    coalesce(actions.label_en, customer_actions.action_code) as action_en,
    coalesce(actions.label_zh, '') as action_zh,
    coalesce(departments.label_en, customer_actions.owner_department, '') as department_en,
    coalesce(departments.label_zh, '') as department_zh,
    count(*) as customers
from marts.customer_actions
left join marts.labels as actions
    on actions.kind = 'action' and customer_actions.action_code = actions.code
left join marts.labels as departments
    on departments.kind = 'department' and customer_actions.owner_department = departments.code
where customer_actions.action_code <> 'none'
group by action_en, action_zh, department_en, department_zh
order by min(customer_actions.priority), action_en
