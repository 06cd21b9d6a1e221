/* Keeps secrets out of tickets, which many people can read: private keys, access tokens, card numbers.
 *
 * A ticket with a secret is sent back with a sentence that says what was found and where, or the secret is masked,
 * whichever the settings say for its kind. */

#include "ruledesk.h"

#include <stdlib.h>
#include <string.h>

typedef enum { IGNORE, MASK, REJECT } action;

/* A token that begins with a known prefix, such as `ghp_`. */
typedef struct {
    rd_text name, prefix;
    size_t least;
} token;

static action on_key, on_token, on_card;
static token *tokens;
static size_t token_count;

static const char *const CHOICES = "`{}` is \"ignore\", \"mask\" or \"reject\"";

static action choice(const rd_json *settings, const char *key, rd_problems *problems) {
    const rd_json *value = rd_get(settings, key);
    if (value->kind == RD_TEXT && rd_is(value->text, "ignore")) return IGNORE;
    if (value->kind == RD_TEXT && rd_is(value->text, "mask")) return MASK;
    if (value->kind != RD_TEXT || !rd_is(value->text, "reject")) rd_problem(problems, rd_fill(CHOICES, rd_str(key)));
    return REJECT;
}

void rd_configure(const rd_json *settings, rd_problems *problems) {
    on_key = choice(settings, "private-keys", problems);
    on_token = choice(settings, "tokens", problems);
    on_card = choice(settings, "card-numbers", problems);
    const rd_json *kinds = rd_get(settings, "token");
    if (kinds->kind != RD_LIST) {
        rd_problem(problems, rd_str("`token` is a list of tables with `name`, `prefix` and `least`"));
        return;
    }
    tokens = calloc(kinds->count + 1, sizeof *tokens);
    token_count = 0;
    for (; token_count < kinds->count; token_count++) {
        const rd_json *kind = &kinds->items[token_count];
        const rd_json *name = rd_get(kind, "name"), *prefix = rd_get(kind, "prefix"), *least = rd_get(kind, "least");
        bool good = name->kind == RD_TEXT && prefix->kind == RD_TEXT && prefix->text.len > 0 &&
                    least->kind == RD_NUMBER && least->number >= 1 && least->number <= 1000;
        if (!good)
            rd_problem(problems, rd_fill("token {}: needs `name`, `prefix` and `least`, the characters that follow at least",
                                         rd_number((int64_t)token_count + 1)));
        else tokens[token_count] = (token){ name->text, prefix->text, (size_t)least->number };
    }
}

static bool digit(uint8_t byte) {
    return byte >= '0' && byte <= '9';
}

static bool word(uint8_t byte) {
    return digit(byte) || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' || byte == '-';
}

/* Where the private key that begins at `at` ends; 0 if none does. */
static size_t key_end(rd_text text, size_t at) {
    rd_text rest = { text.ptr + at, text.len - at };
    if (!rd_starts_with(rest, "-----BEGIN ")) return 0;
    rd_text head = { rest.ptr, rest.len < 60 ? rest.len : 60 };
    if (!rd_contains(head, rd_str("PRIVATE KEY-----"))) return 0;
    for (size_t end = at + 11; end < text.len; end++) {
        rd_text tail = { text.ptr + end, text.len - end };
        if (!rd_starts_with(tail, "-----END ")) continue;
        while (end < text.len && text.ptr[end] != '\n') end++;
        return end;
    }
    return text.len; /* It was cut off; the key is there all the same. */
}

static size_t token_end(rd_text text, size_t at, rd_text *name) {
    if (at > 0 && word(text.ptr[at - 1])) return 0;
    for (size_t n = 0; n < token_count; n++) {
        rd_text prefix = tokens[n].prefix;
        if (text.len - at < prefix.len || memcmp(text.ptr + at, prefix.ptr, prefix.len) != 0) continue;
        size_t end = at + prefix.len;
        while (end < text.len && word(text.ptr[end])) end++;
        if (end - at - prefix.len < tokens[n].least) continue;
        *name = tokens[n].name;
        return end;
    }
    return 0;
}

/* Thirteen to nineteen digits, with single spaces or hyphens between, whose check digit is right (Luhn, ISO/IEC 7812-1). */
static size_t card_end(rd_text text, size_t at) {
    if (!digit(text.ptr[at]) || (at > 0 && word(text.ptr[at - 1]))) return 0;
    uint8_t digits[20];
    size_t count = 0, end = at, last = at;
    while (end < text.len && count < 20) {
        if (digit(text.ptr[end])) digits[count++] = (uint8_t)(text.ptr[end] - '0'), last = ++end;
        else if ((text.ptr[end] == ' ' || text.ptr[end] == '-') && end + 1 < text.len && digit(text.ptr[end + 1])) end++;
        else break;
    }
    if (count < 13 || count > 19) return 0;
    unsigned sum = 0;
    for (size_t n = 0; n < count; n++) {
        unsigned value = digits[count - 1 - n];
        if (n % 2) value = value < 5 ? value * 2 : value * 2 - 9;
        sum += value;
    }
    return sum % 10 == 0 && sum > 0 ? last : 0;
}

/* What was found in one text: the names, how it is to be taken, and the text with the secrets masked. */
typedef struct {
    rd_text names;
    bool masked, rejected;
    rd_text text;
} findings;

static void note(findings *found, rd_text name) {
    if (rd_contains(found->names, name)) return;
    found->names = found->names.len ? rd_fill("{}, {}", found->names, name) : name;
}

static findings look(rd_text text) {
    findings found = { .text = { malloc(text.len + 1), 0 } };
    for (size_t at = 0; at < text.len;) {
        rd_text name = rd_str("a private key");
        action act = on_key;
        size_t end = key_end(text, at);
        if (!end) act = on_token, end = token_end(text, at, &name);
        if (!end) act = on_card, name = rd_str("a card number"), end = card_end(text, at);
        if (!end || act == IGNORE) {
            found.text.ptr[found.text.len++] = text.ptr[at++];
            continue;
        }
        note(&found, name);
        found.rejected |= act == REJECT;
        found.masked |= act == MASK;
        /* Every secret has at least as many characters as its mask. */
        memcpy(found.text.ptr + found.text.len, "[masked]", end - at < 8 ? end - at : 8);
        found.text.len += end - at < 8 ? end - at : 8;
        at = end;
    }
    return found;
}

static const char *const MEND = "This has {} in it. Many people can read a ticket: take it out, and change the secret.";

bool rd_intake_decide(rd_intake_input_t *input, rd_intake_answer_t *answer, rd_text *failure) {
    (void)failure;
    findings subject = look(input->ticket.subject), body = look(input->ticket.body);
    if (subject.rejected || body.rejected) {
        findings first = subject.rejected ? subject : body;
        rd_reject(answer, subject.rejected ? "subject" : "body", "secret", rd_fill(MEND, first.names),
                  rd_fill("it has {} in it", first.names));
        if (subject.rejected && body.rejected) rd_add_problem(answer, "body", "secret", rd_fill(MEND, body.names));
        return true;
    }
    if (!subject.masked && !body.masked) return rd_accept(answer, rd_str("no secret that it knows"));
    rd_text names = subject.masked ? subject.names : body.names;
    rd_accept_with_signal(answer, rd_str("secret-masked"), rd_fill("{} was masked", names));
    rd_intake_changes_t *changes = &answer->decision.val.accept;
    changes->subject = (rd_option_string_t){ .is_some = subject.masked, .val = subject.text };
    changes->body = (rd_option_string_t){ .is_some = body.masked, .val = body.text };
    return true;
}
