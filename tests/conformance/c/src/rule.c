/* The reference rule in C. What it does, and why it makes no sense, is in `tests/conformance/README.md`. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "canonical.h"
#include "words.h"

static rd_list_text_t words;
static rd_text category, level, team, table_name;
static char *table;
static double factor;
static uint32_t body_max, max_hours;
static bool trace;

/* ---- Settings ---- */

static bool filled(const rd_json *value) {
    return value->kind == RD_TEXT && value->text.len > 0;
}

static void must(rd_problems *problems, bool good, const char *name, const char *what) {
    if (!good) rd_problem(problems, rd_fill("`{}` must be {}", rd_str(name), rd_str(what)));
}

static rd_text text_of(const rd_json *settings, rd_problems *problems, const char *name) {
    const rd_json *value = rd_get(settings, name);
    must(problems, filled(value), name, "a text, not empty");
    return value->text;
}

static uint32_t whole(const rd_json *settings, rd_problems *problems, const char *name, uint32_t most) {
    const rd_json *value = rd_get(settings, name);
    bool good = value->kind == RD_NUMBER && value->number >= 1 && value->number <= most &&
                value->number == (double)(uint32_t)value->number;
    if (!good)
        rd_problem(problems, rd_fill("`{}` must be a whole number from 1 to {}", rd_str(name), rd_number(most)));
    return good ? (uint32_t)value->number : 0;
}

void rd_configure(const rd_json *settings, rd_problems *problems) {
    const rd_json *list = rd_get(settings, "words");
    words = (rd_list_text_t){ 0 };
    for (size_t n = 0; list->kind == RD_LIST && n < list->count; n++)
        if (filled(&list->items[n])) add(&words, lower(list->items[n].text));
    bool good = list->kind == RD_LIST && list->count > 0 && words.len == list->count;
    must(problems, good, "words", "a list of texts, none of them empty");
    category = text_of(settings, problems, "category");
    level = text_of(settings, problems, "level");
    team = text_of(settings, problems, "team");
    table_name = text_of(settings, problems, "table");
    table = calloc(table_name.len + 1, 1);
    if (!table) rd_trap("out of memory");
    if (table_name.len) memcpy(table, table_name.ptr, table_name.len);
    factor = rd_get(settings, "factor")->number;
    must(problems, rd_get(settings, "factor")->kind == RD_NUMBER, "factor", "a number");
    body_max = whole(settings, problems, "body-max", 1000);
    max_hours = whole(settings, problems, "max-hours", 8784);
    const rd_json *traced = rd_get(settings, "trace");
    trace = traced->kind == RD_FLAG && traced->flag;
    must(problems, traced->kind == RD_FLAG || traced->kind == RD_NULL, "trace", "true or false");
}

/* ---- What every stage does ---- */

static void note(rd_list_attribute_t *to, const char *name, rd_text value) {
    to->ptr = realloc(to->ptr, (to->len + 1) * sizeof *to->ptr);
    if (!to->ptr) rd_trap("out of memory");
    to->ptr[to->len++] = (rd_attribute_t){ rd_str(name), value };
}

typedef struct {
    rd_list_attribute_t attributes;
    bool found;
    rd_tables_list_attribute_t row;
} begun;

/* False where the ticket asks to fail. */
static bool begin(begun *b, const char *stage, rd_text text, const rd_moment_t *now, const rd_ticket_t *ticket,
                  const rd_person_t *requester, rd_text *failure) {
    *b = (begun){ 0 };
    b->found = rd_lookup(table, requester->id, &b->row);
    rd_text hash = digest(text);
    rd_log(RD_LOG_LEVEL_INFO, rd_fill("{} {}", rd_str(stage), hash));
    if (ticket->subject.len == 0) rd_log(RD_LOG_LEVEL_WARN, rd_str("no subject"));
    if (trace) rd_log(RD_LOG_LEVEL_DEBUG, text);
    if (has(ticket->tags, rd_str("fail"))) {
        rd_log(RD_LOG_LEVEL_ERROR, rd_str("giving up"));
        return rd_fail(failure, rd_fill("asked to fail: {}", ticket->subject));
    }
    canonical row = { 0 };
    if (b->found) put_row(&row, b->row);
    note(&b->attributes, "digest", hash);
    note(&b->attributes, "clock", clock_of(now));
    note(&b->attributes, "drift", rd_number(drift(now)));
    note(&b->attributes, "row", b->found ? row.text : rd_str("none"));
    return true;
}

static rd_list_text_t mentioned(const rd_ticket_t *ticket) {
    rd_text text = lower(rd_fill("{} {}", ticket->subject, ticket->body));
    rd_list_text_t found = { 0 };
    for (size_t n = 0; n < words.len; n++)
        if (rd_contains(text, words.ptr[n]) && !has(found, words.ptr[n])) add(&found, words.ptr[n]);
    return found;
}

static rd_option_string_t some(rd_text text) {
    return (rd_option_string_t){ .is_some = true, .val = text };
}

static rd_text unsigned_number(uint64_t number) {
    canonical to = { 0 };
    put_unsigned(&to, number);
    return to.text;
}

/* ---- Intake ---- */

static bool problem_of(const rd_field_t *field, rd_intake_problem_t *problem) {
    const rd_value_t *value = &field->value;
    if (value->tag == RD_VALUE_TEXT && value->val.text.len == 0) {
        *problem = (rd_intake_problem_t){ field->name, rd_str("empty"), rd_fill("`{}` is empty", field->name) };
        return true;
    }
    if (value->tag == RD_VALUE_DATE && !is_day(value->val.date)) {
        *problem = (rd_intake_problem_t){ field->name, rd_str("date"), rd_fill("`{}` is no day", value->val.date) };
        return true;
    }
    if (value->tag != RD_VALUE_CHOICES) return false;
    rd_list_text_t choices = value->val.choices;
    for (size_t n = 0; n < choices.len; n++) {
        if (!has((rd_list_text_t){ choices.ptr, n }, choices.ptr[n])) continue;
        rd_text message = rd_fill("`{}` is chosen twice", choices.ptr[n]);
        *problem = (rd_intake_problem_t){ field->name, rd_str("twice"), message };
        return true;
    }
    return false;
}

static rd_value_t changed(rd_value_t value) {
    switch (value.tag) {
        case RD_VALUE_TEXT: value.val.text = squeeze(value.val.text); break;
        case RD_VALUE_NUMBER:
            if (isfinite(value.val.number * factor)) value.val.number *= factor;
            break;
        case RD_VALUE_FLAG: value.val.flag = !value.val.flag; break;
        case RD_VALUE_CHOICE: value.val.choice = lower(value.val.choice); break;
        case RD_VALUE_CHOICES: value.val.choices = sorted(value.val.choices); break;
    }
    return value;
}

static rd_option_string_t repeated(const rd_intake_input_t *input) {
    uint64_t now = input->now.at;
    rd_text subject = lower(squeeze(input->ticket.subject));
    for (size_t n = 0; n < input->recent.len; n++) {
        rd_intake_recent_ticket_t recent = input->recent.ptr[n];
        if (rd_equal(recent.request_type, input->ticket.request_type) && !rd_is(recent.state, "closed") &&
            rd_equal(lower(squeeze(recent.subject)), subject) && recent.created_at <= now &&
            now - recent.created_at <= 604800000)
            return some(recent.key);
    }
    return (rd_option_string_t){ 0 };
}

static void fill_changes(rd_intake_changes_t *changes, const rd_intake_input_t *input) {
    const rd_ticket_t *ticket = &input->ticket;
    rd_text subject = squeeze(ticket->subject);
    if (!rd_equal(subject, ticket->subject)) changes->subject = some(subject);
    bool cut;
    rd_text body = first_characters(ticket->body, body_max, &cut);
    if (cut) changes->body = some(rd_fill("{}…", body));
    changes->fields.ptr = calloc(ticket->fields.len + 1, sizeof *changes->fields.ptr);
    if (!changes->fields.ptr) rd_trap("out of memory");
    for (; changes->fields.len < ticket->fields.len; changes->fields.len++) {
        rd_field_t field = ticket->fields.ptr[changes->fields.len];
        changes->fields.ptr[changes->fields.len] = (rd_field_t){ field.name, changed(field.value) };
    }
    rd_list_text_t found = mentioned(ticket);
    if (found.len) add(&changes->tags, rd_fill("mentions-{}", found.ptr[0]));
    if (!rd_equal(input->submitted_by, input->requester.id)) add(&changes->signals, rd_str("on-behalf"));
    if (ticket->attachments.len) {
        uint64_t size = 0;
        for (size_t n = 0; n < ticket->attachments.len; n++)
            if (__builtin_add_overflow(size, ticket->attachments.ptr[n].size, &size)) {
                size = UINT64_MAX;
                break;
            }
        add(&changes->signals, rd_fill("size-{}", unsigned_number(size)));
    }
    changes->duplicate_of = repeated(input);
}

bool rd_intake_decide(rd_intake_input_t *input, rd_intake_answer_t *answer, rd_text *failure) {
    canonical text = { 0 };
    begun b;
    put_intake(&text, input);
    if (!begin(&b, "intake", text.text, &input->now, &input->ticket, &input->requester, failure)) return false;
    rd_text header = rd_str("");
    for (size_t n = input->headers.len; n-- > 0;)
        if (rd_is(input->headers.ptr[n].name, "message-id")) header = input->headers.ptr[n].value;
    note(&b.attributes, "header", header);
    rd_accept(answer, rd_fill("accepted at {}", clock_of(&input->now)));
    rd_intake_list_problem_t problems = { 0 };
    for (size_t n = 0; n < input->ticket.fields.len; n++) {
        rd_intake_problem_t problem;
        if (!problem_of(&input->ticket.fields.ptr[n], &problem)) continue;
        problems.ptr = realloc(problems.ptr, (problems.len + 1) * sizeof *problems.ptr);
        if (!problems.ptr) rd_trap("out of memory");
        problems.ptr[problems.len++] = problem;
    }
    if (problems.len) {
        answer->reason = rd_fill("problems: {}", rd_number((int64_t)problems.len));
        answer->decision.tag = RD_INTAKE_DECISION_REJECT;
        answer->decision.val.reject = problems;
    } else {
        fill_changes(&answer->decision.val.accept, input);
    }
    answer->attributes.ptr = b.attributes.ptr;
    answer->attributes.len = b.attributes.len;
    return true;
}

/* ---- Categorization ---- */

bool rd_categorization_decide(rd_categorization_input_t *input, rd_categorization_answer_t *answer, rd_text *failure) {
    canonical text = { 0 };
    begun b;
    put_categorization(&text, input);
    if (!begin(&b, "categorization", text.text, &input->now, &input->ticket, &input->requester, failure)) return false;
    rd_list_text_t found = mentioned(&input->ticket);
    rd_categorization_classification_t *classification = &answer->decision.val.classify;
    if (found.len) {
        rd_classify(answer, category, rd_fill("it mentions {}", found.ptr[0]));
        unite(&classification->tags, input->ticket.tags);
        unite(&classification->tags, input->so_far.tags);
        unite(&classification->tags, (rd_list_text_t){ found.ptr, 1 });
        if (!input->now.in_business_hours) classification->kind = some(rd_str("incident"));
    } else if (input->requester.vip) {
        rd_classify(answer, category, rd_str("only the kind"));
        classification->category = (rd_option_string_t){ 0 };
        classification->kind = some(input->so_far.kind);
    } else {
        rd_pass_categorization(answer, rd_str("nothing to say"));
    }
    answer->attributes.ptr = b.attributes.ptr;
    answer->attributes.len = b.attributes.len;
    return true;
}

/* ---- Priority ---- */

static int64_t score_of(double x) {
    if (x >= 1000000) return 1000000;
    return x > -1000000 ? (int64_t)floor(x + 0.5) : -1000000;
}

bool rd_priority_decide(rd_priority_input_t *input, rd_priority_answer_t *answer, rd_text *failure) {
    canonical text = { 0 };
    begun b;
    put_priority(&text, input);
    if (!begin(&b, "priority", text.text, &input->now, &input->ticket, &input->requester, failure)) return false;
    double sum = 0;
    size_t numbers = 0;
    for (size_t n = 0; n < input->ticket.fields.len; n++) {
        const rd_value_t *value = &input->ticket.fields.ptr[n].value;
        if (value->tag != RD_VALUE_NUMBER) continue;
        sum += value->val.number;
        numbers++;
    }
    int64_t score = score_of(sum * factor);
    note(&b.attributes, "score", rd_number(score));
    if (!numbers && !mentioned(&input->ticket).len) {
        rd_pass_priority(answer, rd_str("nothing to rate"));
    } else {
        rd_text rated = score >= 100 ? rd_str("critical") : score >= 10 ? level : rd_str("low");
        rd_rate(answer, rated, rd_fill("score {}", rd_number(score)));
        answer->decision.val.rate.impact = input->so_far.urgency;
        answer->decision.val.rate.urgency = input->so_far.impact;
    }
    answer->attributes.ptr = b.attributes.ptr;
    answer->attributes.len = b.attributes.len;
    return true;
}

/* ---- Routing ---- */

bool rd_routing_decide(rd_routing_input_t *input, rd_routing_answer_t *answer, rd_text *failure) {
    canonical text = { 0 };
    begun b;
    put_routing(&text, input);
    if (!begin(&b, "routing", text.text, &input->now, &input->ticket, &input->requester, failure)) return false;
    rd_text to = team;
    for (size_t n = b.found ? b.row.len : 0; n-- > 0;)
        if (rd_is(b.row.ptr[n].name, "team")) to = b.row.ptr[n].value;
    rd_option_string_t has_it = input->so_far.assignee;
    rd_routing_destination_t *destination = &answer->decision.val.assign;
    if (input->so_far.team.is_some && rd_equal(input->so_far.team.val, to)) {
        rd_pass_routing(answer, rd_str("it is there already"));
    } else if (has_it.is_some && has(input->requester.managers, has_it.val)) {
        rd_assign(answer, to, rd_str("a manager has it"));
        destination->team = (rd_option_string_t){ 0 };
        destination->assignee = has_it;
        destination->tier = (rd_option_u8_t){ true, 255 };
    } else {
        rd_assign(answer, to, rd_fill("{} at {}", to, clock_of(&input->now)));
        destination->skills = mentioned(&input->ticket);
        if (input->now.weekday >= 6) destination->strategy = some(rd_str("least-loaded"));
        destination->tier = (rd_option_u8_t){ true, (uint8_t)(input->ticket.tags.len % 255 + 1) };
    }
    answer->attributes.ptr = b.attributes.ptr;
    answer->attributes.len = b.attributes.len;
    return true;
}

/* ---- Access ---- */

static void add_step(rd_access_list_approval_step_t *steps, rd_list_text_t approvers, uint32_t needed, uint32_t due) {
    steps->ptr = realloc(steps->ptr, (steps->len + 1) * sizeof *steps->ptr);
    if (!steps->ptr) rd_trap("out of memory");
    steps->ptr[steps->len++] = (rd_access_approval_step_t){ approvers, needed, due };
}

static rd_access_list_approval_step_t steps_of(const rd_access_input_t *input) {
    rd_access_list_approval_step_t steps = { 0 };
    for (size_t n = 0; n < input->subject.managers.len; n++)
        add_step(&steps, (rd_list_text_t){ &input->subject.managers.ptr[n], 1 }, 1, 24);
    rd_list_text_t approvers = { 0 };
    if (input->item.owner.is_some) {
        uint32_t longest = input->item.max_duration_hours;
        add(&approvers, input->item.owner.val);
        add(&approvers, rd_fill("group:{}", input->item.app));
        add_step(&steps, approvers, 2, longest > UINT32_MAX / 2 ? UINT32_MAX : longest * 2);
    }
    if (!steps.len) {
        add(&approvers, rd_str("group:desk"));
        add_step(&steps, approvers, 1, 4);
    }
    return steps;
}

static uint32_t least(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

bool rd_access_decide(rd_access_input_t *input, rd_access_answer_t *answer, rd_text *failure) {
    canonical text = { 0 }, share_text = { 0 };
    begun b;
    put_access(&text, input);
    if (!begin(&b, "access", text.text, &input->now, &input->ticket, &input->requester, failure)) return false;
    const rd_access_request_t *request = &input->request;
    const rd_access_catalog_item_t *item = &input->item;
    uint64_t at = input->now.at, remaining = 0;
    for (size_t n = 0; n < input->grants.len; n++) {
        rd_access_grant_t grant = input->grants.ptr[n];
        if (rd_is(grant.state, "active") && rd_equal(grant.app, request->app) && grant.granted_at <= at &&
            grant.expires_at > at && grant.expires_at - at > remaining)
            remaining = grant.expires_at - at;
    }
    const rd_access_history_t *history = &input->history;
    uint64_t total = (uint64_t)history->requested + history->approved + history->denied + history->revoked;
    uint32_t size = input->peers.department_size;
    double share = size ? (double)input->peers.department_holders / size : 0;
    put_number(&share_text, share);
    note(&b.attributes, "remaining", unsigned_number(remaining));
    note(&b.attributes, "history", unsigned_number(total));
    note(&b.attributes, "share", share_text.text);

    uint32_t longest = item->max_duration_hours;
    uint32_t asked = request->duration_hours.is_some ? request->duration_hours.val : longest;
    rd_list_text_t groups = { 0 };
    unite(&groups, item->groups);
    unite(&groups, request->groups);
    rd_access_scope_t scope = { request->tier, request->role, sorted(groups), least(least(asked, longest), max_hours) };
    if (item->seats_left.is_some && item->seats_left.val == 0) {
        rd_deny(answer, rd_str("no seats left"));
    } else if (rd_is(item->risk, "high")) {
        rd_access_list_approval_step_t steps = steps_of(input);
        rd_pass_access(answer, rd_fill("approvals: {}", rd_number((int64_t)steps.len)));
        answer->decision.tag = RD_ACCESS_DECISION_REQUIRE_APPROVAL;
        answer->decision.val.require_approval = (rd_access_approval_plan_t){ steps, scope };
    } else if ((rd_is(request->kind, "extend") && remaining > 0) || share >= 0.5) {
        rd_approve(answer, scope, rd_str("common or held"));
    } else {
        rd_pass_access(answer, rd_str("not common"));
    }
    answer->attributes.ptr = b.attributes.ptr;
    answer->attributes.len = b.attributes.len;
    return true;
}
