/* Texts, days and clocks, as the specification's section "Words used below" has them. */
#ifndef WORDS_H
#define WORDS_H

#include "ruledesk.h"

/* A to Z alone. */
rd_text lower(rd_text text);
rd_text squeeze(rd_text text);
/* At most the first `count` characters; `*cut` says whether there were more. */
rd_text first_characters(rd_text text, size_t count, bool *cut);
rd_text clock_of(const rd_moment_t *now);
int64_t drift(const rd_moment_t *now);
bool is_day(rd_text text);

bool has(rd_list_text_t list, rd_text text);
void add(rd_list_text_t *list, rd_text text);
/* Adds those texts of `more` that are not in the list yet. */
void unite(rd_list_text_t *list, rd_list_text_t more);
rd_list_text_t sorted(rd_list_text_t list);

#endif
