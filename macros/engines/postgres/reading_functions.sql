{# Functions that read raw values, made in the database before anything is landed. tests/python/readable_forms.csv lists
   what is read as what. A value that cannot be read is NULL.

   Each reading function has a form for text and one for a column of any other type. Classes of letters and digits are
   those of Unicode, whatever the database's locale: "und-x-icu" says so. #}

{% macro postgres__reading_functions() %}
{{ customer_tiering.postgres__functions_of_text() }}
{{ customer_tiering.postgres__functions_of_ids() }}
{{ customer_tiering.postgres__functions_of_declared_numbers() }}
{{ customer_tiering.postgres__functions_of_numbers() }}
{{ customer_tiering.postgres__functions_of_decimals('read_amount', 2) }}
{{ customer_tiering.postgres__functions_of_decimals('read_quantity', 3) }}
{{ customer_tiering.postgres__functions_of_decimals('read_rate', 8) }}
{{ customer_tiering.postgres__functions_of_booleans() }}
{{ customer_tiering.postgres__functions_of_written_moments() }}
{{ customer_tiering.postgres__functions_of_declared_moments() }}
{{ customer_tiering.postgres__functions_of_times() }}
{{ customer_tiering.postgres__functions_of_dates() }}
{{ customer_tiering.postgres__functions_of_mappings() }}
{{ customer_tiering.postgres__functions_of_messages() }}
{% endmacro %}


{% macro postgres__functions_of_text() %}
-- In small letters, letter by letter as DuckDB has it: in a text of the collation C only A to Z would change, and by
-- Unicode's own rules İ has two small letters, and Σ another one at the end of a word.
create or replace function lower_case(x text) returns text immutable parallel safe language sql as $$
    select lower(translate(x, 'İΣ', 'iσ') collate "und-x-icu") collate "C"
$$;

-- The characters that one cannot see: blanks of Unicode, control characters, marks without width.
create or replace function invisible() returns text immutable parallel safe language sql as $$
    select '\u0001-\u0020\u007f-\u00a0\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u1680\u180e\u2000-\u200f'
        '\u2028-\u202f\u205f-\u2064\u2066-\u206f\u3000\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f'
        '\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f'
$$;

-- Without invisible characters at its ends. NULL when nothing is left.
create or replace function trimmed(x text) returns text immutable parallel safe language sql as $$
    select
        case
            when x ~ '^[!-~]+$' then x
            else nullif(regexp_replace(x, '^[' || invisible() || ']+|[' || invisible() || ']+$', '', 'g'), '')
        end
$$;

-- Digits, signs and letters as a plain keyboard writes them: no full width, no no-break blank.
create or replace function half_width(x text) returns text immutable parallel safe language sql as $$
    select
        trim(translate(
            regexp_replace(x, '[' || invisible() || ']', ' ', 'g'),
            '０１２３４５６７８９＋－−．，／：（）＇’'
            'ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ'
            'ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ',
            '0123456789+--.,/:()'''''
            'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
            'abcdefghijklmnopqrstuvwxyz'
        ))
$$;

-- A binary number is written without a fraction when it has none; one that is no number (NaN) is nothing.
create or replace function text_of_double(x double precision) returns text immutable parallel safe language sql as $$
    select
        case
            when x = 'NaN' then null
            when abs(x) < 1e15 and x = trunc(x) then cast(cast(x as bigint) as text)
            else cast(x as text)
        end
$$;

create or replace function read_text(x text) returns text immutable parallel safe language sql as $$
    select trimmed(x)
$$;

create or replace function read_text(x anyelement) returns text immutable parallel safe language plpgsql as $$
begin
    if pg_typeof(x) in ('double precision'::regtype, 'real'::regtype) then
        return text_of_double(cast(cast(x as text) as double precision));
    end if;
    return trimmed(cast(x as text));
end
$$;
{% endmacro %}


{% macro postgres__functions_of_ids() %}
-- A number's whole part, if it is whole and no larger than its type can represent exactly: beyond, the original id
-- is lost.
create or replace function id_of_double(x double precision, largest double precision)
returns text immutable parallel safe language sql as $$
    select case when abs(x) <= largest and x = trunc(x) then cast(cast(x as bigint) as text) end
$$;

-- Text is an id as it stands. In a column of numbers an id is a whole number: 12002.0 is 12002.
create or replace function read_id(x text) returns text immutable parallel safe language sql as $$
    select trimmed(x)
$$;

create or replace function read_id(x anyelement) returns text immutable parallel safe language plpgsql as $$
begin
    return case pg_typeof(x)
        when 'double precision'::regtype then id_of_double(cast(cast(x as text) as double precision), 9007199254740991)
        when 'real'::regtype then id_of_double(cast(cast(x as text) as double precision), 16777215)
        when 'numeric'::regtype then (regexp_match(cast(x as text), '^(-?[0-9]+)(\.0*)?$'))[1]
        else trimmed(cast(x as text))
    end;
end
$$;

-- Whether a raw value is there, though no id can be read from it.
create or replace function is_unreadable_id(x text) returns boolean immutable parallel safe language sql as $$
    select false
$$;

create or replace function is_unreadable_id(x anyelement) returns boolean immutable parallel safe language sql as $$
    select read_id(x) is null and read_text(x) is not null
$$;

-- An id, unless it is one of these words in small letters, which say that there is nobody.
create or replace function somebody(id text, words text[]) returns text immutable parallel safe language sql as $$
    select case when not lower_case(id) = any(words) then id end
$$;

-- Whether an id has the form of those that erased persons get.
create or replace function is_reserved_id(id text) returns boolean immutable parallel safe language sql as $$
    select id ~ '^erased_[0-9]{6,}(_[0-9]+)?$'
$$;

-- An id as it is landed: one of that form is kept apart from erased persons' own by a mark, which staging rejects.
create or replace function marked_id(x text) returns text immutable parallel safe language sql as $$
    select case when is_reserved_id(trimmed(x)) then 'reserved:' || trimmed(x) else x end
$$;

create or replace function marked_id(x anyelement) returns anyelement immutable parallel safe language sql as $$
    select x
$$;

create or replace function is_marked(id text) returns boolean immutable parallel safe language sql as $$
    select starts_with(id, 'reserved:erased_')
$$;

create or replace function id_as_text(x text) returns text immutable parallel safe language sql as $$
    select x
$$;

create or replace function id_as_text(x anyelement) returns text immutable parallel safe language sql as $$
    select read_id(x)
$$;
{% endmacro %}


{% macro postgres__functions_of_declared_numbers() %}
-- The number that a plain text says: digits, one decimal point, a sign before them, an exponent.
create or replace function number_of(x text) returns numeric immutable parallel safe language sql as $$
    select
        case
            when x ~ '^[ \t\n\v\f\r]*[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,3})?[ \t\n\v\f\r]*$'
                then cast(x as numeric)
        end
$$;

create or replace function plain_number(x text) returns numeric immutable parallel safe language sql as $$
    select number_of(case when x ~ '^[\u0001-\u007f]*$' then x else half_width(x) end)
$$;

-- The plain number that a text with this mark between thousands and this decimal point says, with or without a
-- currency; less than zero by a minus on either side or by brackets.
create or replace function marked_number(x text, mark text, point text) returns numeric
immutable parallel safe language sql as $$
    select
        case
            when
                half_width(x) collate "und-x-icu" ~ (
                    '^('
                    || replace(
                        '[-+]?_|_-|\(_\)',
                        '_',
                        '([[:alpha:]]{1,3} ?|[[:alpha:]]{0,2}[$¢-¥֏؋߾߿৲৳৻૱௹฿៛₠-⃀꠸﷼﹩＄￠￡￥￦] ?)?[-+]?'
                        || '([0-9]+|[0-9]{1,3}([' || mark || '][0-9]{2,3})*[' || mark || '][0-9]{3})'
                        || '([' || point || '][0-9]+)?( ?[[:alpha:]]{1,3}| ?[$¢-¥֏؋߾߿৲৳৻૱௹฿៛₠-⃀꠸﷼﹩＄￠￡￥￦])?'
                    )
                    || ')$'
                )
                then number_of(
                    case when half_width(x) ~ '[-(]' then '-' else '' end
                    || replace(regexp_replace(half_width(x), '[^0-9' || point || ']', '', 'g'), point, '.')
                )
        end
$$;

create or replace function declared_number(x text, format text) returns numeric
immutable parallel safe language plpgsql as $$
begin
    if format in ('1,234.56', '1.234,56', '1 234,56', '1''234.56') then
        return marked_number(x, substr(format, 2, 1), substr(format, 6, 1));
    end if;
    raise exception 'The declared form of a number is %; allowed are 1,234.56 and 1.234,56 and 1 234,56 and 1''234.56.', format;
end
$$;
{% endmacro %}


{% macro postgres__functions_of_numbers() %}
-- A number rounded to its decimals, halves away from zero; NULL when it has more than 18 digits then.
create or replace function fitted(x numeric, decimals integer) returns numeric
immutable parallel safe language sql as $$
    select case when abs(round(x, decimals)) < power(10.0, 18 - decimals) then round(x, decimals) end
$$;

-- A value of a column of numbers. Of a binary one its decimals are those of the shortest number that is read as it.
create or replace function number_of_type(x anyelement, decimals integer) returns numeric
immutable parallel safe language plpgsql as $$
begin
    return case
        when pg_typeof(x) in ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype, 'numeric'::regtype)
            then cast(cast(x as text) as numeric)
        when pg_typeof(x) in ('double precision'::regtype, 'real'::regtype) and cast(x as text) !~ '[a-zA-Z]{3}'
            then
                cast(cast(cast(cast(x as text) as double precision) * power(10, decimals) as text) as numeric)
                / power(10.0, decimals)
        when pg_typeof(x) = 'boolean'::regtype then case cast(x as text) when 'true' then 1 when 'false' then 0 end
    end;
end
$$;

-- NULL when there is a fraction, as a cast alone would round it.
create or replace function whole(x numeric) returns bigint immutable parallel safe language sql as $$
    select
        case
            when round(x, 6) = round(x) and round(x) between -9223372036854775808 and 9223372036854775807
                then cast(round(x) as bigint)
        end
$$;

create or replace function read_whole_number(x text) returns bigint immutable parallel safe language sql as $$
    select whole(plain_number(x))
$$;

create or replace function read_whole_number(x anyelement) returns bigint immutable parallel safe language sql as $$
    select whole(number_of_type(x, 6))
$$;
{% endmacro %}


{% macro postgres__functions_of_decimals(name, decimals) %}
create or replace function {{ name }}(x text) returns numeric immutable parallel safe language sql as $$
    select fitted(plain_number(x), {{ decimals }})
$$;

create or replace function {{ name }}(x anyelement) returns numeric immutable parallel safe language sql as $$
    select fitted(number_of_type(x, {{ decimals }}), {{ decimals }})
$$;

create or replace function {{ name }}(x text, format text) returns numeric immutable parallel safe language sql as $$
    select fitted(declared_number(x, format), {{ decimals }})
$$;

create or replace function {{ name }}(x anyelement, format text) returns numeric
immutable parallel safe language sql as $$
    select fitted(number_of_type(x, {{ decimals }}), {{ decimals }})
$$;
{% endmacro %}


{% macro postgres__functions_of_booleans() %}
create or replace function boolean_of_word(word text) returns boolean immutable parallel safe language sql as $$
    select
        case
            when word in ('true', 't', '1', 'yes', 'y', '是') then true
            when word in ('false', 'f', '0', 'no', 'n', '否') then false
        end
$$;

create or replace function read_boolean(x text) returns boolean immutable parallel safe language sql as $$
    select coalesce(boolean_of_word(lower_case(x)), boolean_of_word(lower_case(half_width(x))))
$$;

create or replace function read_boolean(x anyelement) returns boolean immutable parallel safe language sql as $$
    select case number_of_type(x, 6) when 1 then true when 0 then false end
$$;
{% endmacro %}


{% macro postgres__functions_of_written_moments() %}
-- The two forms that casts read: a date or a local time, and a time that says its offset, at most 14 hours.
create or replace function local_form() returns text immutable parallel safe language sql as $$
    select '^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}([ T]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]+)?)?)?$'
$$;

create or replace function zoned_form() returns text immutable parallel safe language sql as $$
    select '^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}[ T]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?'
        '(Z|[+-](0[0-9]|1[0-3])(:?[0-5][0-9])?|[+-]14(:?00)?)$'
$$;

-- Every other way to write a moment that can mean one alone, as year-month-day, then the time: 2025年12月6日 下午3时05分,
-- Sat, 6 Dec 2025, December 6th, 2025, 20251206T103733Z.
create or replace function year_month_day(x text) returns text immutable parallel safe language plpgsql as $$
begin
    x := lower_case(half_width(x));
    x := regexp_replace(x, '^([0-9]{4}) ?年 ?([0-9]{1,2}) ?月 ?([0-9]{1,2}) ?日 ?', '\1-\2-\3 ');
    x := regexp_replace(
        x,
        '^(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?,? )?'
        '(?:([0-9]{1,2})(?:st|nd|rd|th)?[ .-]*([a-z]{3,9})|([a-z]{3,9})[ .-]+([0-9]{1,2})(?:st|nd|rd|th)?)[ .,-]+([0-9]{4})',
        '\5-\2\3-\1\4'
    );
    x := regexp_replace(
        x,
        '^([0-9]{4})([0-9]{2})([0-9]{2})(?:[ t]?([0-9]{2})([0-9]{2})([0-9]{2}))?([^0-9]|$)',
        '\1-\2-\3 \4:\5:\6\7'
    );
    x := regexp_replace(x, '([0-9]) ?[时時点點] ?([0-9]{2}) ?分 ?(([0-9]{2}) ?秒)?', '\1:\2:\4');
    return regexp_replace(x, '(上午|下午|am|pm) ?([0-9][0-9:]*)', '\2\1');
end
$$;

-- A moment in one of the forms that casts read; NULL where it says none. An offset behind a blank is the one form that
-- whole exports have; it is not taken apart.
create or replace function usual_form(x text) returns text immutable parallel safe language plpgsql as $$
declare
    part text[];
    hour integer;
begin
    if x ~ '^[0-9-]{10}[ T][0-9:]{8} (UTC|[+-][0-9]{2}:?[0-9]{2})$' then
        return replace(left(x, 19) || substr(x, 21), 'UTC', 'Z');
    end if;
    -- year, month, day, hour, minute, second, fraction, half of the day, zone
    part := regexp_match(
        year_month_day(x),
        '^([1-9][0-9]{3})[-/. ]([0-9]{1,2}|jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|'
        'sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)[-/. ]([0-9]{1,2})'
        '(?: ::)?(?:[ t,]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})?)?(?:[.,]([0-9]+))? ?(am|pm|上午|下午)?)? *'
        '(z|utc|gmt|[+-][0-9]{2}(?::?[0-9]{2})?)?$'
    );
    if part is null then
        return null;
    end if;
    x := part[1] || '-'
        || lpad(
            coalesce(
                cast(array_position(
                    array['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'], left(part[2], 3)
                ) as text),
                part[2]
            ),
            2, '0'
        )
        || '-' || lpad(part[3], 2, '0');
    if part[4] is null then
        return x || coalesce(part[9], '');
    end if;
    hour := cast(part[4] as integer);
    if part[8] is not null then
        if hour not between 1 and 12 then
            return null;
        end if;
        hour := hour % 12 + case when part[8] in ('pm', '下午') then 12 else 0 end;
    end if;
    return x || ' ' || lpad(cast(hour as text), 2, '0') || ':' || part[5] || ':' || coalesce(part[6], '00')
        || coalesce('.' || part[7], '')
        || case when part[9] in ('z', 'utc', 'gmt') then 'Z' else coalesce(part[9], '') end;
end
$$;
{% endmacro %}


{% macro postgres__functions_of_declared_moments() %}
-- Forms that are read only where they are declared. Day and month first take one digit too, and a time behind the date.
-- Excel counts days from the end of 1899, its time being a fraction.
create or replace function declared_moment(x text, format text) returns text
immutable parallel safe language plpgsql as $$
begin
    if format ~ '^(dd([/.-])mm[/.-]yyyy|mm([/.-])dd[/.-]yyyy)$' then
        return usual_form(regexp_replace(
            half_width(x),
            '^([0-9]{1,2})[' || substr(format, 3, 1) || ']([0-9]{1,2})[' || substr(format, 6, 1) || ']([0-9]{4})',
            case left(format, 2) when 'dd' then '\3-\2-\1' else '\3-\1-\2' end
        ));
    elsif format = 'excel_serial' then
        return case
            when round(number_of(x), 9) between 61 and 2958465
                then cast(
                    timestamp '1899-12-30 00:00:00' + round(round(number_of(x), 9) * 86400) * interval '1 second' as text
                )
        end;
    elsif format in ('epoch_seconds', 'epoch_milliseconds') then
        return case
            when
                round(number_of(x), 3) * case format when 'epoch_seconds' then 1000 else 1 end
                between -30610224000000 and 253402300799999
                then to_char(
                    timestamp '1970-01-01 00:00:00'
                    + cast(
                        round(number_of(x), 3) * case format when 'epoch_seconds' then 1000000 else 1000 end as bigint
                    ) * interval '1 microsecond',
                    'YYYY-MM-DD HH24:MI:SS.US'
                ) || 'Z'
        end;
    end if;
    raise exception 'The declared form of a date is %; allowed are dd.mm.yyyy, mm/dd/yyyy (parted by . / or -), excel_serial, epoch_seconds and epoch_milliseconds.', format;
end
$$;
{% endmacro %}


{% macro postgres__functions_of_times() %}
-- Whether a text that begins like 2025-12-06 names a day of the calendar.
create or replace function is_day(x text) returns boolean immutable parallel safe language sql as $$
    select
        case
            when substr(x, 6, 2) between '01' and '12' and substr(x, 9, 2) between '01' and '28' then true
            when substr(x, 6, 2) between '01' and '12' and substr(x, 9, 2) >= '01'
                then cast(substr(x, 9, 2) as integer) <= extract(
                    day from make_date(cast(left(x, 4) as integer), cast(substr(x, 6, 2) as integer), 1)
                    + interval '1 month' - interval '1 day'
                )
            else false
        end
$$;

-- Nothing is done between equal zones: a round trip through UTC would move the hours that a change of clocks repeats.
create or replace function in_zone(x timestamp, from_zone text, to_zone text) returns timestamp
immutable parallel safe language sql as $$
    select case when from_zone = to_zone then x else timezone(to_zone, timezone(from_zone, x)) end
$$;

-- Digits of a fraction beyond the sixth are cut.
create or replace function instant_of_form(x text, source_zone text) returns timestamp
immutable parallel safe language sql as $$
    select
        case
            when x ~ local_form() and is_day(x)
                then in_zone(cast(regexp_replace(x, '(\.[0-9]{6})[0-9]+', '\1') as timestamp), source_zone, 'UTC')
            when x ~ zoned_form() and is_day(x)
                then timezone('UTC', cast(regexp_replace(x, '(\.[0-9]{6})[0-9]+', '\1') as timestamptz))
        end
$$;

create or replace function is_moment(x anyelement) returns boolean immutable parallel safe language sql as $$
    select pg_typeof(x) in ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype)
$$;

create or replace function instant_of_type(x anyelement, source_zone text) returns timestamp
immutable parallel safe language plpgsql as $$
begin
    if pg_typeof(x) = 'timestamptz'::regtype then
        return timezone('UTC', cast(x as timestamptz));
    end if;
    return in_zone(cast(x as timestamp), source_zone, 'UTC');
end
$$;

-- The instant in UTC that a value says, in source_zone where it says no zone.
create or replace function read_timestamp(x text, source_zone text) returns timestamp
immutable parallel safe language sql as $$
    select coalesce(instant_of_form(x, source_zone), instant_of_form(usual_form(x), source_zone))
$$;

create or replace function read_timestamp(x anyelement, source_zone text) returns timestamp
immutable parallel safe language plpgsql as $$
begin
    if is_moment(x) then
        return instant_of_type(x, source_zone);
    end if;
    return instant_of_form(usual_form(cast(x as text)), source_zone);
end
$$;

create or replace function read_timestamp(x text, source_zone text, format text) returns timestamp
immutable parallel safe language sql as $$
    select instant_of_form(declared_moment(x, format), source_zone)
$$;

create or replace function read_timestamp(x anyelement, source_zone text, format text) returns timestamp
immutable parallel safe language plpgsql as $$
begin
    if is_moment(x) then
        return instant_of_type(x, source_zone);
    end if;
    return instant_of_form(declared_moment(cast(x as text), format), source_zone);
end
$$;
{% endmacro %}


{% macro postgres__functions_of_dates() %}
-- The day in business_zone of an instant in UTC.
create or replace function business_date(instant timestamp, business_zone text) returns date
immutable parallel safe language sql as $$
    select cast(in_zone(instant, 'UTC', business_zone) as date)
$$;

create or replace function date_of_form(x text) returns date immutable parallel safe language sql as $$
    select case when (x ~ local_form() or x ~ zoned_form()) and is_day(x) then cast(left(x, 10) as date) end
$$;

-- The date that a value says, a time cut to its date.
create or replace function read_date(x text) returns date immutable parallel safe language sql as $$
    select coalesce(date_of_form(x), date_of_form(usual_form(x)))
$$;

create or replace function read_date(x anyelement) returns date immutable parallel safe language plpgsql as $$
begin
    if is_moment(x) then
        return cast(x as date);
    end if;
    return date_of_form(usual_form(cast(x as text)));
end
$$;

create or replace function read_date(x text, format text) returns date immutable parallel safe language sql as $$
    select date_of_form(declared_moment(x, format))
$$;

create or replace function read_date(x anyelement, format text) returns date
immutable parallel safe language plpgsql as $$
begin
    if is_moment(x) then
        return cast(x as date);
    end if;
    return date_of_form(declared_moment(cast(x as text), format));
end
$$;
{% endmacro %}


{% macro postgres__functions_of_mappings() %}
-- A value that is written in a declared form, as text that is read without. One that is not in that form is kept, and
-- says so: it cannot be read, and is rejected and listed.
create or replace function written_as(x text, format text) returns text
immutable parallel safe language plpgsql as $$
begin
    if strpos(format, '1') > 0 then
        return coalesce(cast(declared_number(x, format) as text), trimmed(x) || ' (not ' || format || ')');
    elsif instant_of_form(declared_moment(x, format), 'UTC') is not null then
        return declared_moment(x, format);
    end if;
    return trimmed(x) || ' (not ' || format || ')';
end
$$;

create or replace function written_as(x anyelement, format text) returns text
immutable parallel safe language sql as $$
    select
        case
            when is_moment(x) or strpos(format, '1') > 0 then read_text(x)
            else written_as(read_text(x), format)
        end
$$;
{% endmacro %}


{% macro postgres__functions_of_messages() %}
-- The form of a text, and none of its contents: 9999-99-99 99:99:99 -9999 for a time, Aaa 9 for Dec 6. Of letters only
-- those that Chinese dates and times have are left.
create or replace function shape_of(x text) returns text immutable parallel safe language sql as $$
    select
        left(
            regexp_replace(
                regexp_replace(
                    regexp_replace(
                        regexp_replace(x, ' [(]not [^()]*[)]$', '') collate "und-x-icu", '[[:digit:]]', '9', 'g'
                    ),
                    '[[:upper:]]', 'A', 'g'
                ),
                '(?![A年月日时時分秒点點上下午])[[:alpha:]]', 'a', 'g'
            ),
            40
        )
$$;

create or replace function is_short_number(x text) returns boolean immutable parallel safe language sql as $$
    select x collate "und-x-icu" ~ '^[[:digit:]]{1,3}$'
$$;

-- A text that is a word or a short number, as it stands; the form of one that may be an address, a phone number or an
-- id, or is no word.
create or replace function word_of(x text) returns text immutable parallel safe language sql as $$
    select
        case
            when is_short_number(x) then x
            when x collate "und-x-icu" ~ '[@[:digit:]]' or length(x) > 40 then shape_of(x)
            else x
        end
$$;
{% endmacro %}
