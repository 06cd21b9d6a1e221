#include "ruledesk.h"

#include <stdlib.h>
#include <string.h>

/* ---- Text ---- */

static void *room(size_t bytes) {
    void *block = malloc(bytes ? bytes : 1);
    if (!block) rd_trap("out of memory");
    return block;
}

rd_text rd_str(const char *string) {
    return (rd_text){ (uint8_t *)string, strlen(string) };
}

bool rd_equal(rd_text a, rd_text b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool rd_is(rd_text text, const char *string) {
    return rd_equal(text, rd_str(string));
}

bool rd_contains(rd_text text, rd_text part) {
    if (part.len == 0) return true;
    for (size_t at = 0; at + part.len <= text.len; at++)
        if (text.ptr[at] == part.ptr[0] && memcmp(text.ptr + at, part.ptr, part.len) == 0) return true;
    return false;
}

bool rd_starts_with(rd_text text, const char *string) {
    size_t length = strlen(string);
    return text.len >= length && memcmp(text.ptr, string, length) == 0;
}

/* The same letters as `lower` of the SDK for Rust. Each has as many bytes in UTF-8 as before. */
static uint32_t lower_letter(uint32_t c) {
    if ((c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7) || (c >= 0x391 && c <= 0x3ab && c != 0x3a2) ||
        (c >= 0x410 && c <= 0x42f))
        return c + 32;
    if (c == 0x178) return 0xff;
    if (c >= 0x400 && c <= 0x40f) return c + 80;
    if (c >= 0x531 && c <= 0x556) return c + 48;
    if (c == 0x386) return c + 38;
    if (c >= 0x388 && c <= 0x38a) return c + 37;
    if (c == 0x38c) return c + 64;
    if (c == 0x38e || c == 0x38f) return c + 63;
    if (c == 0x3cf) return c + 8;
    if (c == 0x4c0) return c + 15;
    /* In a run of pairs each capital stands right before its small letter: at the odd numbers or at the even ones. */
    if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e) || (c >= 0x4c1 && c <= 0x4ce)) return c + (c & 1);
    if (c == 0x130 || c == 0x131 || c == 0x138 || c == 0x149 || c == 0x17f) return c;
    if ((c >= 0x100 && c <= 0x177) || (c >= 0x460 && c <= 0x481) || (c >= 0x48a && c <= 0x4bf) ||
        (c >= 0x4d0 && c <= 0x52f) || (c >= 0x1e00 && c <= 0x1e95) || (c >= 0x1ea0 && c <= 0x1eff))
        return c + 1 - (c & 1);
    return c;
}

rd_text rd_lower(rd_text text) {
    rd_text lower = { room(text.len), text.len };
    for (size_t at = 0; at < text.len; at++) {
        uint8_t *to = lower.ptr + at;
        const uint8_t *from = text.ptr + at;
        if (from[0] >= 0xc2 && from[0] < 0xe0 && at + 1 < text.len) {
            uint32_t letter = lower_letter((uint32_t)(from[0] & 31) << 6 | (from[1] & 63));
            to[0] = (uint8_t)(0xc0 | letter >> 6);
            to[1] = (uint8_t)(0x80 | (letter & 63));
            at++;
        } else if (from[0] == 0xe1 && at + 2 < text.len) {
            uint32_t letter = lower_letter(0x1000 | (uint32_t)(from[1] & 63) << 6 | (from[2] & 63));
            to[0] = from[0];
            to[1] = (uint8_t)(0x80 | (letter >> 6 & 63));
            to[2] = (uint8_t)(0x80 | (letter & 63));
            at += 2;
        } else {
            to[0] = from[0] >= 'A' && from[0] <= 'Z' ? (uint8_t)(from[0] + 32) : from[0];
        }
    }
    return lower;
}

rd_text rd_number(int64_t number) {
    char digits[20];
    size_t count = 0;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do digits[count++] = (char)('0' + rest % 10);
    while (rest /= 10);
    rd_text text = { room(count + 1), 0 };
    if (number < 0) text.ptr[text.len++] = '-';
    while (count) text.ptr[text.len++] = (uint8_t)digits[--count];
    return text;
}

rd_text rd_fill_with(const char *pattern, size_t count, const rd_text *texts) {
    size_t length = strlen(pattern);
    for (size_t n = 0; n < count; n++) length += texts[n].len;
    rd_text filled = { room(length), 0 };
    size_t used = 0;
    for (const char *at = pattern; *at; at++) {
        if (at[0] == '{' && at[1] == '}' && used < count) {
            rd_text text = texts[used++];
            if (text.len) memcpy(filled.ptr + filled.len, text.ptr, text.len);
            filled.len += text.len;
            at++;
        } else {
            filled.ptr[filled.len++] = (uint8_t)*at;
        }
    }
    return filled;
}

/* ---- Settings ---- */

struct rd_problems {
    rd_text *sentences;
    size_t count;
};

void rd_problem(rd_problems *problems, rd_text sentence) {
    problems->sentences = realloc(problems->sentences, (problems->count + 1) * sizeof *problems->sentences);
    if (!problems->sentences) rd_trap("out of memory");
    problems->sentences[problems->count++] = sentence;
}

bool rd_settings_configure(rd_text *json, rd_list_text_t *err) {
    rd_problems problems = { NULL, 0 };
    const rd_json *settings = rd_json_read(*json);
    if (settings) rd_configure(settings, &problems);
    else rd_problem(&problems, rd_str("the settings are not JSON"));
    *err = (rd_list_text_t){ problems.sentences, problems.count };
    return problems.count == 0;
}

/* ---- Answers ---- */

#define ANSWERED(answer, case_tag, why) \
    (memset((answer), 0, sizeof *(answer)), (answer)->decision.tag = (case_tag), (answer)->reason = (why), true)

bool rd_accept(rd_intake_answer_t *answer, rd_text reason) {
    return ANSWERED(answer, RD_INTAKE_DECISION_ACCEPT, reason);
}

bool rd_accept_with_signal(rd_intake_answer_t *answer, rd_text signal, rd_text reason) {
    rd_accept(answer, reason);
    rd_text *signals = room(sizeof *signals);
    *signals = signal;
    answer->decision.val.accept.signals.ptr = signals;
    answer->decision.val.accept.signals.len = 1;
    return true;
}

void rd_add_problem(rd_intake_answer_t *answer, const char *field, const char *code, rd_text message) {
    size_t count = answer->decision.val.reject.len;
    rd_intake_problem_t *problems = realloc(answer->decision.val.reject.ptr, (count + 1) * sizeof *problems);
    if (!problems) rd_trap("out of memory");
    problems[count] = (rd_intake_problem_t){ rd_str(field), rd_str(code), message };
    answer->decision.val.reject.ptr = problems;
    answer->decision.val.reject.len = count + 1;
}

bool rd_reject(rd_intake_answer_t *answer, const char *field, const char *code, rd_text message, rd_text reason) {
    ANSWERED(answer, RD_INTAKE_DECISION_REJECT, reason);
    rd_add_problem(answer, field, code, message);
    return true;
}

bool rd_classify(rd_categorization_answer_t *answer, rd_text category, rd_text reason) {
    ANSWERED(answer, RD_CATEGORIZATION_DECISION_CLASSIFY, reason);
    answer->decision.val.classify.category.is_some = true;
    answer->decision.val.classify.category.val = category;
    return true;
}

bool rd_rate(rd_priority_answer_t *answer, rd_text level, rd_text reason) {
    ANSWERED(answer, RD_PRIORITY_DECISION_RATE, reason);
    answer->decision.val.rate.level = level;
    return true;
}

bool rd_assign(rd_routing_answer_t *answer, rd_text team, rd_text reason) {
    ANSWERED(answer, RD_ROUTING_DECISION_ASSIGN, reason);
    answer->decision.val.assign.team.is_some = true;
    answer->decision.val.assign.team.val = team;
    return true;
}

bool rd_approve(rd_access_answer_t *answer, rd_access_scope_t scope, rd_text reason) {
    ANSWERED(answer, RD_ACCESS_DECISION_APPROVE, reason);
    answer->decision.val.approve = scope;
    return true;
}

bool rd_deny(rd_access_answer_t *answer, rd_text reason) {
    return ANSWERED(answer, RD_ACCESS_DECISION_DENY, reason);
}

bool rd_pass_categorization(rd_categorization_answer_t *answer, rd_text reason) {
    return ANSWERED(answer, RD_CATEGORIZATION_DECISION_PASS, reason);
}

bool rd_pass_priority(rd_priority_answer_t *answer, rd_text reason) {
    return ANSWERED(answer, RD_PRIORITY_DECISION_PASS, reason);
}

bool rd_pass_routing(rd_routing_answer_t *answer, rd_text reason) {
    return ANSWERED(answer, RD_ROUTING_DECISION_PASS, reason);
}

bool rd_pass_access(rd_access_answer_t *answer, rd_text reason) {
    return ANSWERED(answer, RD_ACCESS_DECISION_PASS, reason);
}

bool rd_fail(rd_text *failure, rd_text words) {
    *failure = words;
    return false;
}

/* ---- The host ---- */

void rd_log(rd_log_level_t level, rd_text message) {
    rd_log_write(level, &message);
}

bool rd_lookup(const char *table, rd_text key, rd_tables_list_attribute_t *row) {
    rd_text name = rd_str(table);
    return rd_tables_lookup(&name, &key, row);
}

_Noreturn void rd_trap(const char *message) {
    size_t length = strlen(message);
    for (size_t at = 0; at < length; at += 64) {
        uint64_t words[8] = { 0 };
        size_t rest = length - at;
        memcpy(words, message + at, rest < 64 ? rest : 64);
        rd_last_words_say(words[0], words[1], words[2], words[3], words[4], words[5], words[6], words[7]);
    }
    __builtin_trap();
}
