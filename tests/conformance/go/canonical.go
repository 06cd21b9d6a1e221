package main

import (
	"fmt"
	"hash/fnv"
	"math"
	"strconv"
	"strings"

	"ruledesk.local/sdk"
)

// written is a canonical text that grows.
type written struct{ strings.Builder }

func (w *written) text(s string) {
	w.integer(int64(len(s)))
	w.WriteByte(':')
	w.WriteString(s)
}

func (w *written) integer(n int64)    { w.WriteString(strconv.FormatInt(n, 10)) }
func (w *written) unsigned(n uint64)  { w.WriteString(strconv.FormatUint(n, 10)) }
func (w *written) number(n float64)   { w.WriteString(canonicalNumber(n)) }
func (w *written) texts(all []string) { list(w, all, w.text) }

func (w *written) flag(b bool) {
	if b {
		w.WriteByte('t')
	} else {
		w.WriteByte('f')
	}
}

func canonicalNumber(n float64) string { return fmt.Sprintf("%016x", math.Float64bits(n)) }

func list[T any](w *written, items []T, item func(T)) {
	w.WriteByte('[')
	for at, one := range items {
		if at > 0 {
			w.WriteByte(',')
		}
		item(one)
	}
	w.WriteByte(']')
}

func option[T any](w *written, value *T, item func(T)) {
	if value == nil {
		w.WriteByte('-')
		return
	}
	w.WriteByte('+')
	item(*value)
}

// record writes the fields, each by its function.
func (w *written) record(fields ...func()) {
	for at, field := range fields {
		if at == 0 {
			w.WriteByte('(')
		} else {
			w.WriteByte(',')
		}
		field()
	}
	w.WriteByte(')')
}

// as is a field of a record.
func as[T any](item func(T), value T) func() { return func() { item(value) } }

func optional[T any](w *written, item func(T), value *T) func() {
	return func() { option(w, value, item) }
}

func (w *written) hours(n uint32) { w.unsigned(uint64(n)) }

func (w *written) attribute(a ruledesk.Attribute) { w.record(as(w.text, a.Name), as(w.text, a.Value)) }

func (w *written) attributes(all []ruledesk.Attribute) { list(w, all, w.attribute) }

func (w *written) moment(m ruledesk.Moment) {
	w.record(as(w.unsigned, m.At), as(w.integer, int64(m.UtcOffset)), as(w.integer, int64(m.LocalDay)),
		as(w.integer, int64(m.Weekday)), as(w.integer, int64(m.MinuteOfDay)), as(w.flag, m.InBusinessHours))
}

func (w *written) person(p ruledesk.Person) {
	w.record(as(w.text, p.ID), as(w.text, p.Name), as(w.text, p.Email), as(w.text, p.Department), as(w.text, p.Title),
		as(w.text, p.Location), as(w.texts, p.Groups), as(w.texts, p.Managers), as(w.flag, p.Vip),
		as(w.attributes, p.Attributes))
}

func (w *written) value(value ruledesk.Value) {
	switch held := value.(type) {
	case ruledesk.ValueText:
		w.WriteString("text=")
		w.text(held.Value)
	case ruledesk.ValueNumber:
		w.WriteString("number=")
		w.number(held.Value)
	case ruledesk.ValueFlag:
		w.WriteString("flag=")
		w.flag(held.Value)
	case ruledesk.ValueDate:
		w.WriteString("date=")
		w.text(held.Value)
	case ruledesk.ValueChoice:
		w.WriteString("choice=")
		w.text(held.Value)
	case ruledesk.ValueChoices:
		w.WriteString("choices=")
		w.texts(held.Value)
	}
}

func (w *written) field(f ruledesk.Field) { w.record(as(w.text, f.Name), as(w.value, f.Value)) }

func (w *written) fields(all []ruledesk.Field) { list(w, all, w.field) }

func (w *written) attachment(a ruledesk.Attachment) {
	w.record(as(w.text, a.Name), as(w.text, a.MediaType), as(w.unsigned, a.Size))
}

func (w *written) attachments(all []ruledesk.Attachment) { list(w, all, w.attachment) }

func (w *written) ticket(t ruledesk.Ticket) {
	w.record(as(w.text, t.RequestType), as(w.text, t.Channel), as(w.text, t.Subject), as(w.text, t.Body),
		as(w.fields, t.Fields), as(w.texts, t.Tags), as(w.texts, t.Signals), as(w.attachments, t.Attachments),
		as(w.unsigned, t.CreatedAt), as(w.attributes, t.Attributes))
}

func (w *written) soFar(s ruledesk.SoFar) {
	w.record(optional(w, w.text, s.Category), as(w.texts, s.Tags), as(w.text, s.Kind), optional(w, w.text, s.Impact),
		optional(w, w.text, s.Urgency), optional(w, w.text, s.Priority), optional(w, w.text, s.Team),
		optional(w, w.text, s.Assignee), as(w.attributes, s.Attributes))
}

func (w *written) recent(r ruledesk.RecentTicket) {
	w.record(as(w.text, r.Key), as(w.text, r.RequestType), as(w.text, r.Subject), as(w.text, r.State),
		as(w.unsigned, r.CreatedAt))
}

func (w *written) request(r ruledesk.Request) {
	w.record(as(w.text, r.Kind), as(w.text, r.App), as(w.text, r.Tier), optional(w, w.text, r.Role),
		as(w.texts, r.Groups), optional(w, w.hours, r.DurationHours), as(w.text, r.Justification))
}

func (w *written) item(i ruledesk.CatalogItem) {
	w.record(as(w.text, i.App), as(w.text, i.Name), as(w.text, i.Tier), as(w.text, i.Risk),
		as(w.hours, i.MaxDurationHours), optional(w, w.text, i.Owner), as(w.texts, i.Groups),
		optional(w, w.hours, i.SeatsLeft), as(w.attributes, i.Attributes))
}

func (w *written) grant(g ruledesk.Grant) {
	w.record(as(w.text, g.App), as(w.text, g.Tier), optional(w, w.text, g.Role), as(w.texts, g.Groups),
		as(w.unsigned, g.GrantedAt), as(w.unsigned, g.ExpiresAt), as(w.text, g.State))
}

func (w *written) grants(all []ruledesk.Grant) { list(w, all, w.grant) }

func (w *written) history(h ruledesk.History) {
	w.record(as(w.hours, h.Requested), as(w.hours, h.Approved), as(w.hours, h.Denied), as(w.hours, h.Revoked))
}

func (w *written) peers(p ruledesk.Peers) {
	w.record(as(w.hours, p.DepartmentSize), as(w.hours, p.DepartmentHolders))
}

func (w *written) recents(all []ruledesk.RecentTicket) { list(w, all, w.recent) }

// digest is the 64-bit FNV-1a hash, in hexadecimal.
func digest(text string) string {
	hash := fnv.New64a()
	hash.Write([]byte(text))
	return fmt.Sprintf("%016x", hash.Sum64())
}
