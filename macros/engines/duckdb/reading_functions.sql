{# Functions that read raw values, made in the database before anything is landed. tests/python/readable_forms.csv lists
   what is read as what. A value that cannot be read is NULL.

   Each reading function has a form for text, as all of a CSV is, and one for a column of any other type. typeof() of a
   column is known when the query is planned: of the second form only the branch for its type is left. #}

{% macro duckdb__reading_functions() %}
{{ customer_tiering.duckdb__functions_of_text() }}
{{ customer_tiering.duckdb__functions_of_ids() }}
{{ customer_tiering.duckdb__functions_of_numbers() }}
{{ customer_tiering.duckdb__functions_of_booleans() }}
{{ customer_tiering.duckdb__functions_of_written_moments() }}
{{ customer_tiering.duckdb__functions_of_declared_moments() }}
{{ customer_tiering.duckdb__functions_of_times_and_dates() }}
{{ customer_tiering.duckdb__functions_of_mappings() }}
{{ customer_tiering.duckdb__functions_of_messages() }}
{% endmacro %}


{% macro duckdb__functions_of_text() %}
create or replace macro lower_case(x) as lower(x);

-- Without invisible characters at its ends: blanks of Unicode, control characters, marks without width. NULL when nothing is
-- left. Most texts are plain and have none, and looking at their ends is faster.
create or replace macro trimmed(x) as
    case
        when x[1] > ' ' and x[-1] > ' ' and strlen(x) = length(x) then x
        else nullif(regexp_replace(x, '^[\p{Z}\p{Cc}\p{Cf}]+|[\p{Z}\p{Cc}\p{Cf}]+$', '', 'g'), '')
    end;

-- Digits, signs and letters as a plain keyboard writes them: no full width, no no-break blank.
create or replace macro half_width(x) as
    trim(translate(
        regexp_replace(x, '[\p{Z}\p{Cc}\p{Cf}]', ' ', 'g'),
        '０１２３４５６７８９＋－−．，／：（）＇’'
        'ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ'
        'ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ',
        '0123456789+--.,/:()'''''
        'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
        'abcdefghijklmnopqrstuvwxyz'
    ));

-- A binary number is written without a fraction when it has none; one that is no number (NaN) is nothing.
create or replace macro text_of_double(x, written) as
    case
        when isnan(x) then null
        when x = trunc(x) and abs(x) < 1e15 then cast(cast(x as bigint) as varchar)
        else written
    end;

create or replace macro read_text
    (x varchar) as trimmed(x),
    (x) as
        case
            when typeof(x) in ('DOUBLE', 'FLOAT') then text_of_double(try_cast(x as double), cast(x as varchar))
            else trimmed(cast(x as varchar))
        end;
{% endmacro %}


{% macro duckdb__functions_of_ids() %}
-- A number's whole part, if it is whole and no larger than its type can represent exactly: beyond, the original id
-- is lost.
create or replace macro id_of_double(x, largest) as
    case when x = trunc(x) and abs(x) <= largest then cast(cast(x as bigint) as varchar) end;

-- Text is an id as it stands. In a column of numbers an id is a whole number: 12002.0 is 12002.
create or replace macro read_id
    (x varchar) as trimmed(x),
    (x) as
        case
            when typeof(x) = 'DOUBLE' then id_of_double(try_cast(x as double), 9007199254740991)
            when typeof(x) = 'FLOAT' then id_of_double(try_cast(x as double), 16777215)
            when starts_with(typeof(x), 'DECIMAL')
                then nullif(regexp_extract(cast(x as varchar), '^(-?\d+)(\.0*)?$', 1), '')
            else trimmed(cast(x as varchar))
        end;

-- Whether a raw value is there, though no id can be read from it.
create or replace macro is_unreadable_id
    (x varchar) as false,
    (x) as read_id(x) is null and read_text(x) is not null;

-- An id, unless it is one of these words in small letters, which say that there is nobody.
create or replace macro somebody(id, words) as
    case when not list_contains(words, lower(id)) then id end;

-- Whether an id has the form of those that erased persons get.
create or replace macro is_reserved_id(id) as
    contains(id, 'erased_') and regexp_full_match(id, 'erased_[0-9]{6,}(_[0-9]+)?');

-- An id as it is landed: one of that form is kept apart from erased persons' own by a mark, which staging rejects.
create or replace macro marked_id
    (x varchar) as case when is_reserved_id(trimmed(x)) then 'reserved:' || trimmed(x) else x end,
    (x) as x;

create or replace macro is_marked(id) as starts_with(id, 'reserved:erased_');

create or replace macro id_as_text
    (x varchar) as x,
    (x) as read_id(x);
{% endmacro %}


{% macro duckdb__functions_of_numbers() %}
-- The texts that a cast to a number may read: the cast alone would also accept 1_000.
create or replace macro plain_number(x) as
    case when strlen(x) = length(x) then case when not contains(x, '_') then x end else half_width(x) end;

-- The plain number that a text with this mark between thousands and this decimal point says, with or without a
-- currency; less than zero by a minus on either side or by brackets.
create or replace macro marked_number(x, mark, point) as
    case
        when
            regexp_full_match(
                half_width(x),
                replace(
                    '[-+]?_|_-|\(_\)',
                    '_',
                    '(\p{L}{1,3} ?|\p{L}{0,2}\p{Sc} ?)?[-+]?(\d+|\d{1,3}([' || mark || ']\d{2,3})*[' || mark || ']\d{3})'
                    '([' || point || ']\d+)?( ?\p{L}{1,3}| ?\p{Sc})?'
                )
            )
            then
                case when regexp_matches(half_width(x), '[-(]') then '-' else '' end
                || replace(regexp_replace(half_width(x), '[^0-9' || point || ']', '', 'g'), point, '.')
    end;

create or replace macro declared_number(x, format) as
    case format
        when '1,234.56' then marked_number(x, ',', '.')
        when '1.234,56' then marked_number(x, '.', ',')
        when '1 234,56' then marked_number(x, ' ', ',')
        when '1''234.56' then marked_number(x, '''', '.')
        else error(
            'The declared form of a number is ' || format || '; allowed are 1,234.56 and 1.234,56 and 1 234,56 and 1''234.56.'
        )
    end;

create or replace macro read_amount
    (x varchar) as try_cast(plain_number(x) as decimal(18, 2)),
    (x) as try_cast(x as decimal(18, 2)),
    (x varchar, format) as try_cast(declared_number(x, format) as decimal(18, 2)),
    (x, format) as try_cast(x as decimal(18, 2));

create or replace macro read_quantity
    (x varchar) as try_cast(plain_number(x) as decimal(18, 3)),
    (x) as try_cast(x as decimal(18, 3)),
    (x varchar, format) as try_cast(declared_number(x, format) as decimal(18, 3)),
    (x, format) as try_cast(x as decimal(18, 3));

create or replace macro read_rate
    (x varchar) as try_cast(plain_number(x) as decimal(18, 8)),
    (x) as try_cast(x as decimal(18, 8)),
    (x varchar, format) as try_cast(declared_number(x, format) as decimal(18, 8)),
    (x, format) as try_cast(x as decimal(18, 8));

-- NULL when there is a fraction, as a cast alone would round it.
create or replace macro whole(x) as
    case when try_cast(x as decimal(38, 6)) = try_cast(x as bigint) then try_cast(x as bigint) end;

create or replace macro read_whole_number
    (x varchar) as whole(plain_number(x)),
    (x) as whole(x);
{% endmacro %}


{% macro duckdb__functions_of_booleans() %}
create or replace macro boolean_of_word(word) as
    case
        when word in ('true', 't', '1', 'yes', 'y', '是') then true
        when word in ('false', 'f', '0', 'no', 'n', '否') then false
    end;

create or replace macro read_boolean
    (x varchar) as
        coalesce(
            boolean_of_word(lower(x)),
            case
                when x is not null then list_transform([lower(half_width(x))], lambda word: boolean_of_word(word))[1]
            end
        ),
    (x) as
        case
            when typeof(x) = 'BOOLEAN' then try_cast(x as boolean)
            when try_cast(x as decimal(38, 6)) = 1 then true
            when try_cast(x as decimal(38, 6)) = 0 then false
        end;
{% endmacro %}


{% macro duckdb__functions_of_written_moments() %}
-- The two forms that casts read: a date or a local time, and a time that says its offset, at most 14 hours.
create or replace macro local_form() as
    '[1-9]\d{3}-\d\d-\d\d([ T]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?)?';

create or replace macro zoned_form() as
    '[1-9]\d{3}-\d\d-\d\d[ T]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-](0\d|1[0-3])(:?[0-5]\d)?|[+-]14(:?00)?)';

-- Every other way to write a moment that can mean one alone, as year-month-day, then the time: 2025年12月6日 下午3时05分,
-- Sat, 6 Dec 2025, December 6th, 2025, 20251206T103733Z.
create or replace macro year_month_day(x) as
    lower(half_width(x))
    .regexp_replace('^(\d{4}) ?年 ?(\d{1,2}) ?月 ?(\d{1,2}) ?日 ?', '\1-\2-\3 ')
    .regexp_replace(
        '^(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?,? )?'
        '(?:(\d{1,2})(?:st|nd|rd|th)?[ .-]*([a-z]{3,9})|([a-z]{3,9})[ .-]+(\d{1,2})(?:st|nd|rd|th)?)[ .,-]+(\d{4})',
        '\5-\2\3-\1\4'
    )
    .regexp_replace('^(\d{4})(\d\d)(\d\d)(?:[ t]?(\d\d)(\d\d)(\d\d))?(\D|$)', '\1-\2-\3 \4:\5:\6\7')
    .regexp_replace('(\d) ?[时時点點] ?(\d\d) ?分 ?((\d\d) ?秒)?', '\1:\2:\4')
    .regexp_replace('(上午|下午|am|pm) ?(\d[\d:]*)', '\2\1');

create or replace macro parts_of_moment(x) as
    regexp_extract(
        year_month_day(x),
        '^([1-9]\d{3})[-/. ](\d{1,2}|jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|'
        'sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)[-/. ](\d{1,2})'
        '(?: ::)?(?:[ t,]+(\d{1,2}):(\d\d)(?::(\d\d)?)?(?:[.,](\d+))? ?(am|pm|上午|下午)?)? *(z|utc|gmt|[+-]\d\d(?::?\d\d)?)?$',
        ['year', 'month', 'day', 'hour', 'minute', 'second', 'fraction', 'half', 'zone']
    );

-- A moment's parts as one of the forms that casts read; anything else where they say none.
create or replace macro form_of_parts(part) as
    part.year || '-'
    || lpad(
        coalesce(
            cast(list_position(
                ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'], part.month[1:3]
            ) as varchar),
            part.month
        ),
        2, '0'
    )
    || '-' || lpad(part.day, 2, '0')
    || case
        when part.hour = '' then part.zone
        else
            ' ' || lpad(
                case
                    when part.half = '' then part.hour
                    when cast(part.hour as integer) between 1 and 12
                        then cast(
                            cast(part.hour as integer) % 12 + case when part.half in ('pm', '下午') then 12 else 0 end
                            as varchar
                        )
                    else '99'
                end,
                2, '0'
            )
            || ':' || part.minute || ':' || coalesce(nullif(part.second, ''), '00')
            || case when part.fraction = '' then '' else '.' || part.fraction end
            || case when part.zone in ('z', 'utc', 'gmt') then 'Z' else part.zone end
    end;

-- An offset behind a blank is the one form that whole exports have; it is not taken apart.
create or replace macro usual_form(x) as
    case
        when regexp_full_match(x, '[0-9-]{10}[ T][0-9:]{8} (UTC|[+-]\d\d:?\d\d)') then replace(left(x, 19) || x[21:], 'UTC', 'Z')
        else list_transform([parts_of_moment(x)], lambda part: form_of_parts(part))[1]
    end;
{% endmacro %}


{% macro duckdb__functions_of_declared_moments() %}
-- Forms that are read only where they are declared. Day and month first take one digit too, and a time behind the date.
-- Excel counts days from the end of 1899, its time being a fraction.
create or replace macro declared_moment(x, format) as
    case
        when regexp_full_match(format, 'dd([/.-])mm[/.-]yyyy')
            then usual_form(regexp_replace(
                half_width(x), '^(\d{1,2})[' || format[3] || '](\d{1,2})[' || format[6] || '](\d{4})', '\3-\2-\1'
            ))
        when regexp_full_match(format, 'mm([/.-])dd[/.-]yyyy')
            then usual_form(regexp_replace(
                half_width(x), '^(\d{1,2})[' || format[3] || '](\d{1,2})[' || format[6] || '](\d{4})', '\3-\1-\2'
            ))
        when format = 'excel_serial'
            then case
                when try_cast(x as decimal(38, 9)) between 61 and 2958465
                    then cast(
                        timestamp '1899-12-30 00:00:00'
                        + to_seconds(cast(round(try_cast(x as decimal(38, 9)) * 86400) as bigint)) as varchar
                    )
            end
        when format in ('epoch_seconds', 'epoch_milliseconds')
            then case
                when
                    try_cast(x as decimal(38, 3)) * case format when 'epoch_seconds' then 1000 else 1 end
                    between -30610224000000 and 253402300799999
                    then strftime(
                        make_timestamp(cast(
                            try_cast(x as decimal(38, 3)) * case format when 'epoch_seconds' then 1000000 else 1000 end
                            as bigint
                        )),
                        '%Y-%m-%d %H:%M:%S.%fZ'
                    )
            end
        else error(
            'The declared form of a date is ' || format || '; allowed are dd.mm.yyyy, mm/dd/yyyy (parted by . / or -), '
            'excel_serial, epoch_seconds and epoch_milliseconds.'
        )
    end;
{% endmacro %}


{% macro duckdb__functions_of_times_and_dates() %}
-- Nothing is done between equal zones: a round trip through UTC would move the hours that a change of clocks repeats.
create or replace macro in_zone(x, from_zone, to_zone) as
    case when from_zone = to_zone then x else timezone(to_zone, timezone(from_zone, x)) end;

create or replace macro instant_of_form(x, source_zone) as
    case
        when regexp_full_match(x, local_form()) then in_zone(try_cast(x as timestamp), source_zone, 'UTC')
        when regexp_full_match(x, zoned_form()) then timezone('UTC', try_cast(x as timestamptz))
    end;

create or replace macro instant_of_type(x, source_zone) as
    case
        when typeof(x) = 'TIMESTAMP WITH TIME ZONE' then timezone('UTC', try_cast(x as timestamptz))
        else in_zone(try_cast(x as timestamp), source_zone, 'UTC')
    end;

-- The instant in UTC that a value says, in source_zone where it says no zone.
create or replace macro read_timestamp
    (x varchar, source_zone) as
        coalesce(
            instant_of_form(x, source_zone),
            case
                when x is not null
                    then list_transform([usual_form(x)], lambda form: instant_of_form(form, source_zone))[1]
            end
        ),
    (x, source_zone) as
        case
            when typeof(x) = 'DATE' or starts_with(typeof(x), 'TIMESTAMP') then instant_of_type(x, source_zone)
            else list_transform(
                [usual_form(cast(x as varchar))], lambda form: instant_of_form(form, source_zone)
            )[1]
        end,
    (x varchar, source_zone, format) as
        list_transform([declared_moment(x, format)], lambda form: instant_of_form(form, source_zone))[1],
    (x, source_zone, format) as
        case
            when typeof(x) = 'DATE' or starts_with(typeof(x), 'TIMESTAMP') then instant_of_type(x, source_zone)
            else list_transform(
                [declared_moment(cast(x as varchar), format)], lambda form: instant_of_form(form, source_zone)
            )[1]
        end;

-- The day in business_zone of an instant in UTC.
create or replace macro business_date(instant, business_zone) as
    cast(in_zone(instant, 'UTC', business_zone) as date);

create or replace macro date_of_form(x) as
    case
        when regexp_full_match(x, local_form()) or regexp_full_match(x, zoned_form())
            then try_cast(left(x, 10) as date)
    end;

-- The date that a value says, a time cut to its date.
create or replace macro read_date
    (x varchar) as
        coalesce(
            date_of_form(x),
            case when x is not null then list_transform([usual_form(x)], lambda form: date_of_form(form))[1] end
        ),
    (x) as
        case
            when typeof(x) = 'DATE' or starts_with(typeof(x), 'TIMESTAMP') then try_cast(x as date)
            else list_transform([usual_form(cast(x as varchar))], lambda form: date_of_form(form))[1]
        end,
    (x varchar, format) as list_transform([declared_moment(x, format)], lambda form: date_of_form(form))[1],
    (x, format) as
        case
            when typeof(x) = 'DATE' or starts_with(typeof(x), 'TIMESTAMP') then try_cast(x as date)
            else list_transform([declared_moment(cast(x as varchar), format)], lambda form: date_of_form(form))[1]
        end;
{% endmacro %}


{% macro duckdb__functions_of_mappings() %}
-- A value that is written in a declared form, as text that is read without. One that is not in that form is kept, and
-- says so: it cannot be read, and is rejected and listed.
create or replace macro moment_written_as(x, format) as
    list_transform(
        [declared_moment(x, format)], lambda form: case when instant_of_form(form, 'UTC') is not null then form end
    )[1];

create or replace macro written_as
    (x varchar, format) as
        coalesce(
            case when contains(format, '1') then declared_number(x, format) else moment_written_as(x, format) end,
            trimmed(x) || ' (not ' || format || ')'
        ),
    (x, format) as
        case
            when typeof(x) = 'DATE' or starts_with(typeof(x), 'TIMESTAMP') or contains(format, '1') then read_text(x)
            else coalesce(moment_written_as(cast(x as varchar), format), read_text(x) || ' (not ' || format || ')')
        end;
{% endmacro %}


{% macro duckdb__functions_of_messages() %}
-- The form of a text, and none of its contents: 9999-99-99 99:99:99 -9999 for a time, Aaa 9 for Dec 6. Of letters only
-- those that Chinese dates and times have are left. What written_as says behind a value is no part of it.
create or replace macro shape_of(x) as
    left(
        regexp_replace(
            regexp_replace(
                regexp_replace(regexp_replace(x, ' [(]not [^()]*[)]$', ''), '\p{Nd}', '9', 'g'),
                '\p{Lu}', 'A', 'g'
            ),
            '[^\P{L}A年月日时時分秒点點上下午]', 'a', 'g'
        ),
        40
    );

create or replace macro is_short_number(x) as regexp_full_match(x, '\p{Nd}{1,3}');

-- A text that is a word or a short number, as it stands; the form of one that may be an address, a phone number or an id,
-- or is no word.
create or replace macro word_of(x) as
    case
        when is_short_number(x) then x
        when regexp_matches(x, '[@\p{Nd}]') or length(x) > 40 then shape_of(x)
        else x
    end;
{% endmacro %}
