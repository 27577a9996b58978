{{ customer_tiering.typed_source('survey', 'survey_responses') }}
