{# Views and tables take the place of those of their name. dbt's own way makes them under another name and renames twice,
   which costs more statements per model than most models of a small company cost to compute. A table's old rows are there
   until its transaction ends: what fails leaves them. #}

{% materialization view, adapter='duckdb' %}
    {% set existing = load_cached_relation(this) %}
    {% set target_relation = this.incorporate(type='view') %}
    {{ run_hooks(pre_hooks) }}
    {% if existing and not existing.is_view %}
        {% do adapter.drop_relation(existing) %}
    {% endif %}
    {% if config.get('contract').enforced %}{% do get_assert_columns_equivalent(sql) %}{% endif %}
    {% call statement('main', auto_begin=false) %}
        create or replace view {{ target_relation }} as (
            {{ sql }}
        )
    {% endcall %}
    {{ run_hooks(post_hooks) }}
    {% do persist_docs(target_relation, model) %}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}


{% materialization table, adapter='duckdb' %}
    {% set existing = load_cached_relation(this) %}
    {% set target_relation = this.incorporate(type='table') %}
    {{ run_hooks(pre_hooks, inside_transaction=false) }}
    {{ run_hooks(pre_hooks) }}
    {% call statement('main') %}
        {% if existing %}drop {{ existing.type }} if exists {{ existing }};{% endif %}
        {{ create_table_as(false, target_relation, sql) }}
    {% endcall %}
    {{ run_hooks(post_hooks) }}
    {% do persist_docs(target_relation, model) %}
    {% do adapter.commit() %}
    {{ run_hooks(post_hooks, inside_transaction=false) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
