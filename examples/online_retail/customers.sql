-- Customers who only ever cancelled are customers too.
with country_codes (country, country_code) as (
    values
    ('Australia', 'AU'),
    ('Austria', 'AT'),
    ('Bahrain', 'BH'),
    ('Belgium', 'BE'),
    ('Brazil', 'BR'),
    ('Canada', 'CA'),
    ('Cyprus', 'CY'),
    ('Czech Republic', 'CZ'),
    ('Denmark', 'DK'),
    ('EIRE', 'IE'),
    ('Finland', 'FI'),
    ('France', 'FR'),
    ('Germany', 'DE'),
    ('Greece', 'GR'),
    ('Hong Kong', 'HK'),
    ('Iceland', 'IS'),
    ('Israel', 'IL'),
    ('Italy', 'IT'),
    ('Japan', 'JP'),
    ('Lebanon', 'LB'),
    ('Lithuania', 'LT'),
    ('Malta', 'MT'),
    ('Netherlands', 'NL'),
    ('Norway', 'NO'),
    ('Poland', 'PL'),
    ('Portugal', 'PT'),
    ('RSA', 'ZA'),
    ('Saudi Arabia', 'SA'),
    ('Singapore', 'SG'),
    ('Spain', 'ES'),
    ('Sweden', 'SE'),
    ('Switzerland', 'CH'),
    ('USA', 'US'),
    ('United Arab Emirates', 'AE'),
    ('United Kingdom', 'GB')
),

-- Eight customers moved: the newest invoice says where to.
countries as (
    select
        customer_id,
        country,
        row_number() over (
            partition by customer_id order by invoice_date desc, invoice_no desc, line_number asc
        ) as place
    from lines
    where customer_id is not null
)

select
    countries.customer_id,
    country_codes.country_code
from countries
left join country_codes on countries.country = country_codes.country
where countries.place = 1
