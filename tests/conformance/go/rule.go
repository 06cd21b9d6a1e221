// The reference rule in Go. What it does, and why it makes no sense, is in `tests/conformance/README.md`.
package main

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"ruledesk.local/sdk"
	"ruledesk.local/sdk/access"
	"ruledesk.local/sdk/categorization"
	"ruledesk.local/sdk/intake"
	"ruledesk.local/sdk/priority"
	"ruledesk.local/sdk/routing"
)

func init() {
	ruledesk.Configure(configure)
	intake.Decide(decideIntake)
	categorization.Decide(decideCategorization)
	priority.Decide(decidePriority)
	routing.Decide(decideRouting)
	access.Decide(decideAccess)
}

func main() {}

// begun is what every stage works out first.
type begun struct {
	attributes []ruledesk.Attribute
	row        ruledesk.Row
	found      bool
}

func (b *begun) note(name, value string) {
	b.attributes = append(b.attributes, ruledesk.Attribute{Name: name, Value: value})
}

func begin(stage string, w *written, now ruledesk.Moment, ticket ruledesk.Ticket, requester ruledesk.Person) (*begun, error) {
	row, found := ruledesk.Lookup(set.table, requester.ID)
	text := w.String()
	hash := digest(text)
	ruledesk.Info(stage + " " + hash)
	if ticket.Subject == "" {
		ruledesk.Warn("no subject")
	}
	if set.trace {
		ruledesk.Debug(text)
	}
	if slices.Contains(ticket.Tags, "fail") {
		ruledesk.Error("giving up")
		return nil, ruledesk.Failure("asked to fail: " + ticket.Subject)
	}
	b := &begun{row: row, found: found}
	b.note("digest", hash)
	b.note("clock", clock(now))
	b.note("drift", strconv.FormatInt(drift(now), 10))
	rowText := "none"
	if found {
		w := &written{}
		w.attributes(row)
		rowText = w.String()
	}
	b.note("row", rowText)
	return b, nil
}

// later begins a stage after intake but access.
func later(stage string, now ruledesk.Moment, ticket ruledesk.Ticket, requester ruledesk.Person, soFar ruledesk.SoFar) (*begun, error) {
	w := &written{}
	w.record(as(w.moment, now), as(w.ticket, ticket), as(w.person, requester), as(w.soFar, soFar))
	return begin(stage, w, now, ticket, requester)
}

func mentioned(ticket ruledesk.Ticket) []string {
	text := lower(ticket.Subject + " " + ticket.Body)
	found := []string{}
	for _, word := range set.words {
		if strings.Contains(text, word) {
			found = append(found, word)
		}
	}
	return united(found)
}

func decideIntake(in *intake.Input) (intake.Answer, error) {
	w := &written{}
	w.record(as(w.moment, in.Now), as(w.ticket, in.Ticket), as(w.person, in.Requester), as(w.text, in.SubmittedBy),
		as(w.attributes, in.Headers), as(w.recents, in.Recent))
	b, err := begin("intake", w, in.Now, in.Ticket, in.Requester)
	if err != nil {
		return intake.Answer{}, err
	}
	b.note("header", ruledesk.Row(in.Headers).Get("message-id"))
	var problems []ruledesk.Problem
	for _, field := range in.Ticket.Fields {
		if problem, found := problemOf(field); found {
			problems = append(problems, problem)
		}
	}
	answer := intake.Answer{Attributes: b.attributes}
	if len(problems) > 0 {
		answer.Decision = ruledesk.IntakeReject{Value: problems}
		return answer.Because("problems: " + strconv.Itoa(len(problems))), nil
	}
	answer.Decision = ruledesk.IntakeAccept{Value: changes(in)}
	return answer.Because("accepted at " + clock(in.Now)), nil
}

func problemOf(field ruledesk.Field) (ruledesk.Problem, bool) {
	switch held := field.Value.(type) {
	case ruledesk.ValueText:
		message := "`" + field.Name + "` is empty"
		return ruledesk.Problem{Field: field.Name, Code: "empty", Message: message}, held.Value == ""
	case ruledesk.ValueDate:
		message := "`" + held.Value + "` is no day"
		return ruledesk.Problem{Field: field.Name, Code: "date", Message: message}, !isDay(held.Value)
	case ruledesk.ValueChoices:
		for at, choice := range held.Value {
			if slices.Contains(held.Value[:at], choice) {
				message := "`" + choice + "` is chosen twice"
				return ruledesk.Problem{Field: field.Name, Code: "twice", Message: message}, true
			}
		}
	}
	return ruledesk.Problem{}, false
}

func changed(value ruledesk.Value) ruledesk.Value {
	switch held := value.(type) {
	case ruledesk.ValueText:
		return ruledesk.ValueText{Value: squeeze(held.Value)}
	case ruledesk.ValueNumber:
		if product := held.Value * set.factor; !math.IsInf(product, 0) && !math.IsNaN(product) {
			return ruledesk.ValueNumber{Value: product}
		}
	case ruledesk.ValueFlag:
		return ruledesk.ValueFlag{Value: !held.Value}
	case ruledesk.ValueChoice:
		return ruledesk.ValueChoice{Value: lower(held.Value)}
	case ruledesk.ValueChoices:
		return ruledesk.ValueChoices{Value: slices.Sorted(slices.Values(held.Value))}
	}
	return value
}

func changes(in *intake.Input) ruledesk.Changes {
	ticket := in.Ticket
	changes := ruledesk.Changes{}
	subject := squeeze(ticket.Subject)
	if subject != ticket.Subject {
		changes.Subject = &subject
	}
	if body := []rune(ticket.Body); len(body) > set.bodyMax {
		changes.Body = ruledesk.Some(string(body[:set.bodyMax]) + "…")
	}
	for _, field := range ticket.Fields {
		changes.Fields = append(changes.Fields, ruledesk.Field{Name: field.Name, Value: changed(field.Value)})
	}
	if words := mentioned(ticket); len(words) > 0 {
		changes.Tags = []string{"mentions-" + words[0]}
	}
	if in.SubmittedBy != in.Requester.ID {
		changes.Signals = append(changes.Signals, "on-behalf")
	}
	if len(ticket.Attachments) > 0 {
		size := uint64(0)
		for _, attachment := range ticket.Attachments {
			sum, carry := bits.Add64(size, attachment.Size, 0)
			size = sum | -carry
		}
		changes.Signals = append(changes.Signals, "size-"+strconv.FormatUint(size, 10))
	}
	for _, recent := range in.Recent {
		same := recent.RequestType == ticket.RequestType && lower(squeeze(recent.Subject)) == lower(subject)
		fresh := recent.CreatedAt <= in.Now.At && in.Now.At-recent.CreatedAt <= 604800000
		if same && fresh && recent.State != "closed" {
			changes.DuplicateOf = &recent.Key
			break
		}
	}
	return changes
}

func decideCategorization(in *categorization.Input) (categorization.Answer, error) {
	b, err := later("categorization", in.Now, in.Ticket, in.Requester, in.SoFar)
	if err != nil {
		return categorization.Answer{}, err
	}
	answer := categorization.Answer{Decision: ruledesk.CategorizationPass{}, Attributes: b.attributes}
	if words := mentioned(in.Ticket); len(words) > 0 {
		classification := ruledesk.Classification{
			Category: &set.category,
			Tags:     united(in.Ticket.Tags, in.SoFar.Tags, words[:1]),
		}
		if !in.Now.InBusinessHours {
			classification.Kind = ruledesk.Some("incident")
		}
		answer.Decision = ruledesk.CategorizationClassify{Value: classification}
		return answer.Because("it mentions " + words[0]), nil
	}
	if in.Requester.Vip {
		answer.Decision = ruledesk.CategorizationClassify{Value: ruledesk.Classification{Kind: &in.SoFar.Kind}}
		return answer.Because("only the kind"), nil
	}
	return answer.Because("nothing to say"), nil
}

func decidePriority(in *priority.Input) (priority.Answer, error) {
	b, err := later("priority", in.Now, in.Ticket, in.Requester, in.SoFar)
	if err != nil {
		return priority.Answer{}, err
	}
	numbers, sum := 0, 0.0
	for _, field := range in.Ticket.Fields {
		if held, ok := field.Value.(ruledesk.ValueNumber); ok {
			numbers++
			sum += held.Value
		}
	}
	// The conversion keeps the product apart from what is added to it.
	score := scoreOf(float64(sum * set.factor))
	b.note("score", strconv.Itoa(score))
	answer := priority.Answer{Decision: ruledesk.PriorityPass{}, Attributes: b.attributes}
	if numbers == 0 && len(mentioned(in.Ticket)) == 0 {
		return answer.Because("nothing to rate"), nil
	}
	level := "low"
	if score >= 100 {
		level = "critical"
	} else if score >= 10 {
		level = set.level
	}
	answer.Decision = ruledesk.PriorityRate{
		Value: ruledesk.Rating{Impact: in.SoFar.Urgency, Urgency: in.SoFar.Impact, Level: level},
	}
	return answer.Because("score " + strconv.Itoa(score)), nil
}

func scoreOf(x float64) int {
	switch {
	case x >= 1000000:
		return 1000000
	case x > -1000000:
		return int(math.Floor(x + 0.5))
	default:
		return -1000000
	}
}

func decideRouting(in *routing.Input) (routing.Answer, error) {
	b, err := later("routing", in.Now, in.Ticket, in.Requester, in.SoFar)
	if err != nil {
		return routing.Answer{}, err
	}
	team := set.team
	for _, column := range b.row {
		if column.Name == "team" {
			team = column.Value
			break
		}
	}
	answer := routing.Answer{Decision: ruledesk.RoutingPass{}, Attributes: b.attributes}
	if in.SoFar.Team != nil && *in.SoFar.Team == team {
		return answer.Because("it is there already"), nil
	}
	destination := ruledesk.Destination{}
	if assignee := in.SoFar.Assignee; assignee != nil && slices.Contains(in.Requester.Managers, *assignee) {
		destination.Assignee, destination.Tier = assignee, ruledesk.Some(uint8(255))
		answer.Decision = ruledesk.RoutingAssign{Value: destination}
		return answer.Because("a manager has it"), nil
	}
	destination.Team, destination.Skills = &team, mentioned(in.Ticket)
	if in.Now.Weekday >= 6 {
		destination.Strategy = ruledesk.Some("least-loaded")
	}
	destination.Tier = ruledesk.Some(uint8(len(in.Ticket.Tags)%255 + 1))
	answer.Decision = ruledesk.RoutingAssign{Value: destination}
	return answer.Because(fmt.Sprintf("%s at %s", team, clock(in.Now))), nil
}

func decideAccess(in *access.Input) (access.Answer, error) {
	w := &written{}
	w.record(as(w.moment, in.Now), as(w.ticket, in.Ticket), as(w.person, in.Requester), as(w.soFar, in.SoFar),
		as(w.request, in.Request), as(w.item, in.Item), as(w.person, in.Subject), as(w.grants, in.Grants),
		as(w.history, in.History), as(w.peers, in.Peers))
	b, err := begin("access", w, in.Now, in.Ticket, in.Requester)
	if err != nil {
		return access.Answer{}, err
	}
	at, held, remaining := in.Now.At, false, uint64(0)
	for _, grant := range in.Grants {
		if grant.State == "active" && grant.App == in.Request.App && grant.GrantedAt <= at && grant.ExpiresAt > at {
			held, remaining = true, max(remaining, grant.ExpiresAt-at)
		}
	}
	total := uint64(0)
	for _, count := range []uint32{in.History.Requested, in.History.Approved, in.History.Denied, in.History.Revoked} {
		total += uint64(count)
	}
	share := 0.0
	if in.Peers.DepartmentSize > 0 {
		share = float64(in.Peers.DepartmentHolders) / float64(in.Peers.DepartmentSize)
	}
	b.note("remaining", strconv.FormatUint(remaining, 10))
	b.note("history", strconv.FormatUint(total, 10))
	b.note("share", canonicalNumber(share))

	longest := in.Item.MaxDurationHours
	scope := ruledesk.Scope{
		Tier:          in.Request.Tier,
		Role:          in.Request.Role,
		Groups:        slices.Sorted(slices.Values(united(in.Item.Groups, in.Request.Groups))),
		DurationHours: min(ruledesk.Or(in.Request.DurationHours, longest), longest, uint32(set.maxHours)),
	}
	answer := access.Answer{Decision: ruledesk.AccessPass{}, Attributes: b.attributes}
	switch {
	case in.Item.SeatsLeft != nil && *in.Item.SeatsLeft == 0:
		answer.Decision = ruledesk.AccessDeny{}
		return answer.Because("no seats left"), nil
	case in.Item.Risk == "high":
		plan := ruledesk.ApprovalPlan{Steps: steps(in), Scope: scope}
		answer.Decision = ruledesk.AccessRequireApproval{Value: plan}
		return answer.Because("approvals: " + strconv.Itoa(len(plan.Steps))), nil
	case (in.Request.Kind == "extend" && held) || share >= 0.5:
		answer.Decision = ruledesk.AccessApprove{Value: scope}
		return answer.Because("common or held"), nil
	}
	return answer.Because("not common"), nil
}

func steps(in *access.Input) []ruledesk.ApprovalStep {
	var steps []ruledesk.ApprovalStep
	for _, manager := range in.Subject.Managers {
		steps = append(steps, ruledesk.ApprovalStep{Approvers: []string{manager}, Needed: 1, DueInHours: 24})
	}
	if owner := in.Item.Owner; owner != nil {
		due := uint32(min(uint64(in.Item.MaxDurationHours)*2, math.MaxUint32))
		approvers := []string{*owner, "group:" + in.Item.App}
		steps = append(steps, ruledesk.ApprovalStep{Approvers: approvers, Needed: 2, DueInHours: due})
	}
	if len(steps) == 0 {
		steps = []ruledesk.ApprovalStep{{Approvers: []string{"group:desk"}, Needed: 1, DueInHours: 4}}
	}
	return steps
}
