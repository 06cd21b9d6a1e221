/* Write RuleDesk rules in C. A rule defines `rd_configure` and the `rd_..._decide` of its stages; `contract.h` has their
 * types, with a comment on every field. Memory comes from an arena that is never freed: an instance lives for one
 * decision, so `free` does nothing. */
#ifndef RULEDESK_H
#define RULEDESK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "contract.h"

/* ---- Text: UTF-8, with its length and without a zero at its end ---- */

/* The text of a C string, which stays where it is. */
rd_text rd_str(const char *string);
bool rd_equal(rd_text a, rd_text b);
bool rd_is(rd_text text, const char *string);
/* Whether `part` stands in `text`; the empty text stands in every one. */
bool rd_contains(rd_text text, rd_text part);
bool rd_starts_with(rd_text text, const char *string);
/* The text with its Latin, Greek, Cyrillic and Armenian letters in lower case. */
rd_text rd_lower(rd_text text);
/* The number in decimal. */
rd_text rd_number(int64_t number);
/* `pattern` with one text for each `{}`: rd_fill("{} asks for {}", name, rd_number(3)). There is no other escape. */
#define rd_fill(pattern, ...) \
    rd_fill_with(pattern, sizeof((rd_text[]){ __VA_ARGS__ }) / sizeof(rd_text), (rd_text[]){ __VA_ARGS__ })
rd_text rd_fill_with(const char *pattern, size_t count, const rd_text *texts);

/* ---- Settings ---- */

typedef enum { RD_NULL, RD_FLAG, RD_NUMBER, RD_TEXT, RD_LIST, RD_OBJECT } rd_kind;

/* A value of JSON. Of `flag`, `number`, `text` and `items` the one that `kind` names counts. */
typedef struct rd_json {
    rd_kind kind;
    bool flag;
    double number;
    rd_text text;
    /* Of a list or an object: its values and how many there are. */
    struct rd_json *items;
    size_t count;
    /* Of an object: the key of each value. */
    rd_text *keys;
} rd_json;

/* NULL if the text is not JSON. */
const rd_json *rd_json_read(rd_text text);
/* The value under a key; one of kind RD_NULL if there is none. Never NULL. */
const rd_json *rd_get(const rd_json *object, const char *key);

typedef struct rd_problems rd_problems;
/* Says that something is wrong with the settings: one sentence. The rule is then not activated. */
void rd_problem(rd_problems *problems, rd_text sentence);

/* Yours to define: takes the manifest's `[settings]`, once. What it leaves in static variables is there for each decision. */
void rd_configure(const rd_json *settings, rd_problems *problems);

/* ---- Answers: each fills `*answer` and returns true, which is what a decide function returns ---- */

bool rd_accept(rd_intake_answer_t *answer, rd_text reason);
/* Accepts and adds a signal for the stages after intake. */
bool rd_accept_with_signal(rd_intake_answer_t *answer, rd_text signal, rd_text reason);
/* Rejects with one thing to mend; `rd_add_problem` adds more. */
bool rd_reject(rd_intake_answer_t *answer, const char *field, const char *code, rd_text message, rd_text reason);
void rd_add_problem(rd_intake_answer_t *answer, const char *field, const char *code, rd_text message);
bool rd_classify(rd_categorization_answer_t *answer, rd_text category, rd_text reason);
bool rd_rate(rd_priority_answer_t *answer, rd_text level, rd_text reason);
bool rd_assign(rd_routing_answer_t *answer, rd_text team, rd_text reason);
bool rd_approve(rd_access_answer_t *answer, rd_access_scope_t scope, rd_text reason);
bool rd_deny(rd_access_answer_t *answer, rd_text reason);
/* No opinion: the rule leaves it to others. */
bool rd_pass_categorization(rd_categorization_answer_t *answer, rd_text reason);
bool rd_pass_priority(rd_priority_answer_t *answer, rd_text reason);
bool rd_pass_routing(rd_routing_answer_t *answer, rd_text reason);
bool rd_pass_access(rd_access_answer_t *answer, rd_text reason);
/* The rule's own failure, in words: `return rd_fail(failure, rd_str("..."));`. It counts as no answer and is recorded. */
bool rd_fail(rd_text *failure, rd_text words);

/* ---- The host ---- */

/* A line for the decision's record. */
void rd_log(rd_log_level_t level, rd_text message);
/* A row of a reference table that the manifest names; false if there is none. */
bool rd_lookup(const char *table, rd_text key, rd_tables_list_attribute_t *row);
/* Ends the decision as failed; the message is in its record. */
_Noreturn void rd_trap(const char *message);
#define RD_STRING_(x) #x
#define RD_STRING(x) RD_STRING_(x)
/* Traps with the condition, the file and the line where it does not hold. */
#define RD_ASSERT(condition) \
    ((condition) ? (void)0 : rd_trap(__FILE__ ":" RD_STRING(__LINE__) ": " #condition " does not hold"))

#endif
