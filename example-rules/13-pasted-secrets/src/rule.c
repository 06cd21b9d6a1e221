/* Keeps secrets out of tickets, which many people can read: private keys, access tokens, card numbers. It looks at the
 * subject, the body, and what was written into fields of the form.
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
static bool in_subject, in_body, in_fields;

static const char *const CHOICES = "`{}` is \"ignore\", \"mask\" or \"reject\"";

static action choice(const rd_json *settings, const char *key, rd_problems *problems) {
    const rd_json *value = rd_get(settings, key);
    if (value->kind == RD_TEXT && rd_is(value->text, "ignore")) return IGNORE;
    if (value->kind == RD_TEXT && rd_is(value->text, "mask")) return MASK;
    if (value->kind != RD_TEXT || !rd_is(value->text, "reject")) rd_problem(problems, rd_fill(CHOICES, rd_str(key)));
    return REJECT;
}

/* Which texts of a ticket are looked at; all of them, if the settings do not say. */
static void where(const rd_json *settings, rd_problems *problems) {
    const rd_json *places = rd_get(settings, "look-in");
    in_subject = in_body = in_fields = places->kind == RD_NULL;
    bool good = places->kind == RD_NULL || (places->kind == RD_LIST && places->count > 0);
    for (size_t n = 0; places->kind == RD_LIST && n < places->count; n++) {
        rd_text place = places->items[n].kind == RD_TEXT ? places->items[n].text : rd_str("");
        if (rd_is(place, "subject")) in_subject = true;
        else if (rd_is(place, "body")) in_body = true;
        else if (rd_is(place, "fields")) in_fields = true;
        else good = false;
    }
    if (!good) rd_problem(problems, rd_str("`look-in` is a list of \"subject\", \"body\" and \"fields\""));
}

void rd_configure(const rd_json *settings, rd_problems *problems) {
    on_key = choice(settings, "private-keys", problems);
    on_token = choice(settings, "tokens", problems);
    on_card = choice(settings, "card-numbers", problems);
    where(settings, problems);
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

/* Whether the check digit is right (Luhn, ISO/IEC 7812-1); all zeros are no number of a card. */
static bool checks(const uint8_t *digits, size_t count) {
    unsigned sum = 0;
    for (size_t n = 0; n < count; n++) {
        unsigned value = digits[count - 1 - n];
        if (n % 2) value = value < 5 ? value * 2 : value * 2 - 9;
        sum += value;
    }
    return sum % 10 == 0 && sum > 0;
}

/* Whether an issuer of cards gives out numbers that begin so and are so long: numbers of orders and devices, and lists of
 * numbers, often have a right check digit too, and what is masked is gone. */
static bool issued(const uint8_t *digits, size_t count) {
    unsigned two = digits[0] * 10u + digits[1], three = two * 10 + digits[2], four = three * 10 + digits[3];
    if (digits[0] == 4) return count == 13 || count == 16 || count == 19;
    if ((two >= 51 && two <= 55) || (four >= 2221 && four <= 2720)) return count == 16;
    if (two == 34 || two == 37) return count == 15;
    if (two == 36 || two == 38 || two == 39 || (three >= 300 && three <= 305)) return count == 14;
    bool discover = two == 65 || (three >= 644 && three <= 649) || four == 6011;
    bool maestro = three == 676 || four == 5018 || four == 5020 || four == 5038 || four == 6304 || four == 6759;
    bool others = two == 62 || (four >= 3528 && four <= 3589);
    return (discover || maestro || others) && count >= 16;
}

/* Whether digits are grouped as on a card: not at all, in fours, or 4-6-5 and 4-6-4. */
static bool grouped(const size_t *groups, size_t count) {
    if (count == 1) return true;
    if (count == 3) return groups[0] == 4 && groups[1] == 6 && (groups[2] == 5 || groups[2] == 4);
    bool fours = count >= 4 && groups[0] == 4 && groups[1] == 4 && groups[2] == 4 && groups[3] == 4;
    return fours && (count == 4 || (count == 5 && groups[4] == 3));
}

/* Whether there are four characters from `at` on, the last of them a digit, and a space or an end on both sides. */
static bool is_four(rd_text text, size_t at) {
    if (at + 4 > text.len || (at > 0 && text.ptr[at - 1] != ' ') || !digit(text.ptr[at + 3])) return false;
    for (size_t n = at; n < at + 4; n++)
        if (!word(text.ptr[n])) return false;
    return at + 4 == text.len || text.ptr[at + 4] == ' ';
}

/* Where the longest number of a card that begins at `at` ends. Between its groups are single spaces or hyphens; behind a
 * space other digits may follow, such as the month in which the card expires, but no further four: then it is a list. */
static size_t card_end(rd_text text, size_t at) {
    if (!digit(text.ptr[at]) || (at > 0 && word(text.ptr[at - 1]))) return 0;
    bool in_list = at >= 5 && is_four(text, at - 5);
    uint8_t digits[19], between = 0;
    size_t groups[5], group = 0, count = 0, found = 0;
    for (size_t end = at; group < 5;) {
        size_t start = end;
        while (end < text.len && digit(text.ptr[end]) && count < 19) digits[count++] = (uint8_t)(text.ptr[end++] - '0');
        groups[group++] = end - start;
        uint8_t behind = end < text.len ? text.ptr[end] : ' ';
        if (word(behind) && behind != '-') break;
        bool joined = end + 1 < text.len && digit(text.ptr[end + 1]) && (behind == ' ' || behind == '-');
        bool ends = !joined || behind == ' ';
        if (group > 1) ends = ends && !in_list && !(joined && is_four(text, end + 1));
        if (ends && count >= 13 && grouped(groups, group) && issued(digits, count) && checks(digits, count)) found = end;
        if (!joined || (group > 1 && behind != between)) break;
        between = behind;
        end++;
    }
    return found;
}

/* A text of a ticket, and what was found in it: the names, how it is to be taken, and the text with the secrets masked. */
typedef struct {
    enum { SUBJECT, BODY, FIELD } in;
    rd_text field, text;
    rd_text names, clean;
    bool masked, rejected;
} place;

static void note(rd_text *names, rd_text name) {
    if (rd_contains(*names, name)) return;
    *names = names->len ? rd_fill("{}, {}", *names, name) : name;
}

static void *room(size_t bytes) {
    void *block = calloc(1, bytes ? bytes : 1);
    if (!block) rd_trap("out of memory");
    return block;
}

static void look(place *here) {
    rd_text text = here->text, clean = { room(text.len), 0 };
    for (size_t at = 0; at < text.len;) {
        rd_text name = rd_str("a private key");
        action act = on_key;
        size_t end = key_end(text, at);
        if (!end) act = on_token, end = token_end(text, at, &name);
        if (!end) act = on_card, name = rd_str("a card number"), end = card_end(text, at);
        if (!end || act == IGNORE) {
            clean.ptr[clean.len++] = text.ptr[at++];
            continue;
        }
        note(&here->names, name);
        here->rejected |= act == REJECT;
        here->masked |= act == MASK;
        /* No mask is longer than its secret. */
        size_t length = end - at < 8 ? end - at : 8;
        memcpy(clean.ptr + clean.len, "[masked]", length);
        clean.len += length;
        at = end;
    }
    here->clean = clean;
}

/* The texts to look at, and how many there are. */
static place *places_of(rd_ticket_t *ticket, size_t *count) {
    place *places = room((ticket->fields.len + 2) * sizeof *places);
    *count = 0;
    if (in_subject) places[(*count)++] = (place){ .in = SUBJECT, .field = rd_str("subject"), .text = ticket->subject };
    if (in_body) places[(*count)++] = (place){ .in = BODY, .field = rd_str("body"), .text = ticket->body };
    for (size_t n = 0; in_fields && n < ticket->fields.len; n++) {
        rd_field_t *field = &ticket->fields.ptr[n];
        if (field->value.tag == RD_VALUE_TEXT)
            places[(*count)++] = (place){ .in = FIELD, .field = field->name, .text = field->value.val.text };
    }
    return places;
}

static const char *c_string(rd_text text) {
    char *string = room(text.len + 1);
    if (text.len) memcpy(string, text.ptr, text.len);
    return string;
}

static const char *const MEND = "This has {} in it. Many people can read a ticket: take it out, and change the secret.";

static bool reject(rd_intake_answer_t *answer, const place *places, size_t count) {
    bool first = true;
    for (size_t n = 0; n < count; n++) {
        if (!places[n].rejected) continue;
        const char *field = c_string(places[n].field);
        rd_text mend = rd_fill(MEND, places[n].names);
        if (first) rd_reject(answer, field, "secret", mend, rd_fill("it has {} in it", places[n].names));
        else rd_add_problem(answer, field, "secret", mend);
        first = false;
    }
    return true;
}

bool rd_intake_decide(rd_intake_input_t *input, rd_intake_answer_t *answer, rd_text *failure) {
    (void)failure;
    size_t count;
    place *places = places_of(&input->ticket, &count);
    rd_text names = { NULL, 0 };
    bool rejected = false;
    for (size_t n = 0; n < count; n++) {
        look(&places[n]);
        rejected |= places[n].rejected;
        if (places[n].masked) note(&names, places[n].names);
    }
    if (rejected) return reject(answer, places, count);
    if (!names.len) return rd_accept(answer, rd_str("no secret that it knows"));
    rd_accept_with_signal(answer, rd_str("secret-masked"), rd_fill("{} was masked", names));
    rd_intake_changes_t *changes = &answer->decision.val.accept;
    changes->fields.ptr = room(count * sizeof *changes->fields.ptr);
    for (size_t n = 0; n < count; n++) {
        if (!places[n].masked) continue;
        rd_option_string_t clean = { .is_some = true, .val = places[n].clean };
        if (places[n].in == SUBJECT) changes->subject = clean;
        else if (places[n].in == BODY) changes->body = clean;
        else
            changes->fields.ptr[changes->fields.len++] =
                (rd_field_t){ places[n].field, { .tag = RD_VALUE_TEXT, .val.text = places[n].clean } };
    }
    return true;
}
