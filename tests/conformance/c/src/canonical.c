#include "canonical.h"

#include <stdlib.h>
#include <string.h>

static void put_bytes(canonical *to, const void *bytes, size_t count) {
    if (to->text.len + count > to->room) {
        to->room = (to->text.len + count) * 2;
        to->text.ptr = realloc(to->text.ptr, to->room);
        if (!to->text.ptr) rd_trap("out of memory");
    }
    if (count) memcpy(to->text.ptr + to->text.len, bytes, count);
    to->text.len += count;
}

static void put(canonical *to, char byte) {
    put_bytes(to, &byte, 1);
}

void put_unsigned(canonical *to, uint64_t number) {
    char digits[20];
    size_t at = sizeof digits;
    do digits[--at] = (char)('0' + number % 10);
    while (number /= 10);
    put_bytes(to, digits + at, sizeof digits - at);
}

static void put_integer(canonical *to, int64_t number) {
    if (number < 0) put(to, '-');
    put_unsigned(to, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

static void put_hexadecimal(canonical *to, uint64_t number) {
    for (int shift = 60; shift >= 0; shift -= 4) put(to, "0123456789abcdef"[number >> shift & 15]);
}

void put_number(canonical *to, double number) {
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    put_hexadecimal(to, bits);
}

static void put_flag(canonical *to, bool flag) {
    put(to, flag ? 't' : 'f');
}

static void put_text(canonical *to, rd_text text) {
    put_unsigned(to, text.len);
    put(to, ':');
    put_bytes(to, text.ptr, text.len);
}

/* The parts of a record, with what stands between them. */
#define OPEN put(to, '(')
#define NEXT put(to, ',')
#define CLOSE put(to, ')')
#define LIST(list, item)                                  \
    do {                                                  \
        put(to, '[');                                     \
        for (size_t n_ = 0; n_ < (list).len; n_++) {      \
            if (n_) NEXT;                                 \
            item(to, (list).ptr[n_]);                     \
        }                                                 \
        put(to, ']');                                     \
    } while (0)
#define OPTION(option, item)                              \
    do {                                                  \
        put(to, (option).is_some ? '+' : '-');            \
        if ((option).is_some) item(to, (option).val);     \
    } while (0)

static void put_attribute(canonical *to, rd_attribute_t attribute) {
    OPEN, put_text(to, attribute.name), NEXT, put_text(to, attribute.value), CLOSE;
}

void put_row(canonical *to, rd_tables_list_attribute_t row) {
    LIST(row, put_attribute);
}

static void put_texts(canonical *to, rd_list_text_t texts) {
    LIST(texts, put_text);
}

static void put_moment(canonical *to, const rd_moment_t *now) {
    OPEN, put_unsigned(to, now->at), NEXT, put_integer(to, now->utc_offset), NEXT, put_integer(to, now->local_day);
    NEXT, put_unsigned(to, now->weekday), NEXT, put_unsigned(to, now->minute_of_day), NEXT;
    put_flag(to, now->in_business_hours), CLOSE;
}

static void put_person(canonical *to, const rd_person_t *person) {
    OPEN, put_text(to, person->id), NEXT, put_text(to, person->name), NEXT, put_text(to, person->email), NEXT;
    put_text(to, person->department), NEXT, put_text(to, person->title), NEXT, put_text(to, person->location), NEXT;
    put_texts(to, person->groups), NEXT, put_texts(to, person->managers), NEXT, put_flag(to, person->vip), NEXT;
    LIST(person->attributes, put_attribute);
    CLOSE;
}

static void put_value(canonical *to, rd_value_t value) {
    static const char *const CASES[] = { "text=", "number=", "flag=", "date=", "choice=", "choices=" };
    put_bytes(to, CASES[value.tag], strlen(CASES[value.tag]));
    switch (value.tag) {
        case RD_VALUE_TEXT: put_text(to, value.val.text); break;
        case RD_VALUE_NUMBER: put_number(to, value.val.number); break;
        case RD_VALUE_FLAG: put_flag(to, value.val.flag); break;
        case RD_VALUE_DATE: put_text(to, value.val.date); break;
        case RD_VALUE_CHOICE: put_text(to, value.val.choice); break;
        default: put_texts(to, value.val.choices);
    }
}

static void put_field(canonical *to, rd_field_t field) {
    OPEN, put_text(to, field.name), NEXT, put_value(to, field.value), CLOSE;
}

static void put_attachment(canonical *to, rd_attachment_t attachment) {
    OPEN, put_text(to, attachment.name), NEXT, put_text(to, attachment.media_type), NEXT;
    put_unsigned(to, attachment.size), CLOSE;
}

static void put_ticket(canonical *to, const rd_ticket_t *ticket) {
    OPEN, put_text(to, ticket->request_type), NEXT, put_text(to, ticket->channel), NEXT, put_text(to, ticket->subject);
    NEXT, put_text(to, ticket->body), NEXT;
    LIST(ticket->fields, put_field);
    NEXT, put_texts(to, ticket->tags), NEXT, put_texts(to, ticket->signals), NEXT;
    LIST(ticket->attachments, put_attachment);
    NEXT, put_unsigned(to, ticket->created_at), NEXT;
    LIST(ticket->attributes, put_attribute);
    CLOSE;
}

static void put_so_far(canonical *to, const rd_so_far_t *so_far) {
    OPEN;
    OPTION(so_far->category, put_text);
    NEXT, put_texts(to, so_far->tags), NEXT, put_text(to, so_far->kind), NEXT;
    OPTION(so_far->impact, put_text);
    NEXT;
    OPTION(so_far->urgency, put_text);
    NEXT;
    OPTION(so_far->priority, put_text);
    NEXT;
    OPTION(so_far->team, put_text);
    NEXT;
    OPTION(so_far->assignee, put_text);
    NEXT;
    LIST(so_far->attributes, put_attribute);
    CLOSE;
}

static void put_recent(canonical *to, rd_intake_recent_ticket_t recent) {
    OPEN, put_text(to, recent.key), NEXT, put_text(to, recent.request_type), NEXT, put_text(to, recent.subject), NEXT;
    put_text(to, recent.state), NEXT, put_unsigned(to, recent.created_at), CLOSE;
}

void put_intake(canonical *to, const rd_intake_input_t *input) {
    OPEN, put_moment(to, &input->now), NEXT, put_ticket(to, &input->ticket), NEXT, put_person(to, &input->requester);
    NEXT, put_text(to, input->submitted_by), NEXT;
    LIST(input->headers, put_attribute);
    NEXT;
    LIST(input->recent, put_recent);
    CLOSE;
}

#define LATER(input)                                                                                        \
    (OPEN, put_moment(to, &(input)->now), NEXT, put_ticket(to, &(input)->ticket), NEXT,                     \
     put_person(to, &(input)->requester), NEXT, put_so_far(to, &(input)->so_far))

void put_categorization(canonical *to, const rd_categorization_input_t *input) {
    LATER(input), CLOSE;
}

void put_priority(canonical *to, const rd_priority_input_t *input) {
    LATER(input), CLOSE;
}

void put_routing(canonical *to, const rd_routing_input_t *input) {
    LATER(input), CLOSE;
}

static void put_request(canonical *to, const rd_access_request_t *request) {
    OPEN, put_text(to, request->kind), NEXT, put_text(to, request->app), NEXT, put_text(to, request->tier), NEXT;
    OPTION(request->role, put_text);
    NEXT, put_texts(to, request->groups), NEXT;
    OPTION(request->duration_hours, put_unsigned);
    NEXT, put_text(to, request->justification), CLOSE;
}

static void put_item(canonical *to, const rd_access_catalog_item_t *item) {
    OPEN, put_text(to, item->app), NEXT, put_text(to, item->name), NEXT, put_text(to, item->tier), NEXT;
    put_text(to, item->risk), NEXT, put_unsigned(to, item->max_duration_hours), NEXT;
    OPTION(item->owner, put_text);
    NEXT, put_texts(to, item->groups), NEXT;
    OPTION(item->seats_left, put_unsigned);
    NEXT;
    LIST(item->attributes, put_attribute);
    CLOSE;
}

static void put_grant(canonical *to, rd_access_grant_t grant) {
    OPEN, put_text(to, grant.app), NEXT, put_text(to, grant.tier), NEXT;
    OPTION(grant.role, put_text);
    NEXT, put_texts(to, grant.groups), NEXT, put_unsigned(to, grant.granted_at), NEXT;
    put_unsigned(to, grant.expires_at), NEXT, put_text(to, grant.state), CLOSE;
}

void put_access(canonical *to, const rd_access_input_t *input) {
    LATER(input), NEXT, put_request(to, &input->request), NEXT, put_item(to, &input->item), NEXT;
    put_person(to, &input->subject), NEXT;
    LIST(input->grants, put_grant);
    NEXT, OPEN, put_unsigned(to, input->history.requested), NEXT, put_unsigned(to, input->history.approved), NEXT;
    put_unsigned(to, input->history.denied), NEXT, put_unsigned(to, input->history.revoked), CLOSE, NEXT, OPEN;
    put_unsigned(to, input->peers.department_size), NEXT, put_unsigned(to, input->peers.department_holders), CLOSE;
    CLOSE;
}

rd_text digest(rd_text text) {
    uint64_t hash = 14695981039346656037u;
    for (size_t at = 0; at < text.len; at++) hash = (hash ^ text.ptr[at]) * 1099511628211u;
    canonical to = { 0 };
    put_hexadecimal(&to, hash);
    return to.text;
}
