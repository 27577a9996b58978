{# What an engine reads by itself from files, and where its tables come from. #}

{% macro raw_relation_in_folder(source) %}
    {{ return(adapter.dispatch('raw_relation_in_folder', 'customer_tiering')(source)) }}
{% endmacro %}


{% macro mapped_relation_in_folder(source, mapping) %}
    {{ return(adapter.dispatch('mapped_relation_in_folder', 'customer_tiering')(source, mapping)) }}
{% endmacro %}


{% macro land_files(source, relation, is_erasing, is_second=false) %}
    {{ return(adapter.dispatch('land_files', 'customer_tiering')(source, relation, is_erasing, is_second)) }}
{% endmacro %}


{% macro raw_origin() %}
    {{ return(adapter.dispatch('raw_origin', 'customer_tiering')()) }}
{% endmacro %}


{% macro seed_file(seed) %}
    {{ return(adapter.dispatch('seed_file', 'customer_tiering')(seed)) }}
{% endmacro %}


{% macro digest_of_files(root, patterns) %}
    {{ return(adapter.dispatch('digest_of_files', 'customer_tiering')(root, patterns)) }}
{% endmacro %}
