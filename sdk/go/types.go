// Written from sdk/wit by a test: do not edit.

package ruledesk

// Milliseconds since 1970-01-01T00:00:00Z.
type Timestamp = uint64

// The decision's time: the only clock a rule has. The same for every rule that one ticket asks.
type Moment struct {
	// The instant.
	At Timestamp
	// Minutes east of UTC in the desk's time zone at that instant.
	UtcOffset int16
	// The day in the desk's time zone, counted from 1970-01-01.
	LocalDay int32
	// The day of the week in the desk's time zone, ISO 8601: Monday is 1, Sunday is 7.
	Weekday uint8
	// Minutes since midnight in the desk's time zone, 0 to 1439.
	MinuteOfDay uint16
	// Whether the desk's business calendar is open at that instant.
	InBusinessHours bool
}

// A name and its text: room for what this version of the contract has no field for.
// A rule ignores names that it does not know.
type Attribute struct {
	Name  string
	Value string
}

// What a form field holds.
type Value interface{ isValue() }

// Free text, one line or several.
type ValueText struct{ Value string }

func (ValueText) isValue() {}

// A number.
type ValueNumber struct{ Value float64 }

func (ValueNumber) isValue() {}

// Yes or no.
type ValueFlag struct{ Value bool }

func (ValueFlag) isValue() {}

// A calendar day, `YYYY-MM-DD`.
type ValueDate struct{ Value string }

func (ValueDate) isValue() {}

// One of the options that the form offers.
type ValueChoice struct{ Value string }

func (ValueChoice) isValue() {}

// Some of the options that the form offers.
type ValueChoices struct{ Value []string }

func (ValueChoices) isValue() {}

// One filled-in field of a request type's form. Fields left empty are absent.
type Field struct {
	// The field's name in the request type, such as `device`.
	Name  string
	Value Value
}

// Somebody in the organisation.
type Person struct {
	// The stable id, such as `amara`.
	ID string
	// The name as people read it.
	Name string
	// The mail address; empty if there is none.
	Email string
	// The department's name; empty if unknown.
	Department string
	// The job title; empty if unknown.
	Title string
	// The site or city; empty if unknown.
	Location string
	// The groups this person is a member of.
	Groups []string
	// The ids of the managers, nearest first.
	Managers []string
	// Whether the organisation marks this person for special care.
	Vip bool
	// What else the organisation's directory says.
	Attributes []Attribute
}

// An attached file, without its content.
type Attachment struct {
	// The file's name as sent.
	Name string
	// The media type as sent, such as `image/png`.
	MediaType string
	// The size in bytes.
	Size uint64
}

// A ticket as its requester submitted it, and as intake normalised it.
// It is the same for all stages after intake.
type Ticket struct {
	// The request type, such as `hardware`.
	RequestType string
	// Where it came from, such as `api`, `portal`, `email`, `chat`, `import`.
	Channel string
	Subject string
	Body    string
	// The form's filled-in fields.
	Fields []Field
	// The tags it came with, and those that intake added.
	Tags []string
	// Signals of intake for the stages after it, such as `possible-duplicate`.
	Signals     []string
	Attachments []Attachment
	// When it arrived.
	CreatedAt  Timestamp
	Attributes []Attribute
}

// What has been decided about a ticket before this stage is asked.
type SoFar struct {
	// The category's id in the taxonomy.
	Category *string
	// The tags that stand now.
	Tags []string
	// `incident`, `request`, `problem` or `change`.
	Kind string
	// The impact, as an id of the desk's impact scale.
	Impact *string
	// The urgency, as an id of the desk's urgency scale.
	Urgency *string
	// The priority level's id.
	Priority *string
	// The team that has the ticket, when it is routed again.
	Team *string
	// The person who has the ticket, when it is routed again.
	Assignee   *string
	Attributes []Attribute
}

// A ticket of the same requester, newest first.
type RecentTicket struct {
	// The short key, such as `IT-1042`.
	Key         string
	RequestType string
	Subject     string
	// The state, such as `open` or `resolved`.
	State     string
	CreatedAt Timestamp
}

// Asked when a submission arrives, before there is a ticket.
//
// All rules are asked. The changes of those that accept are applied in order, each rule seeing the submission as it
// came; problems are merged, and any rejection rejects. If no rule can answer, the submission is accepted and marked.
type IntakeInput struct {
	Now Moment
	// The submission: it has passed the form's own checks (known fields, types, options).
	Ticket    Ticket
	Requester Person
	// Who submitted it: the requester's id, or that of somebody who acts for the requester.
	SubmittedBy string
	// What the channel knows about the message, such as the mail's headers in lower case.
	Headers []Attribute
	// The requester's last five tickets of the last 72 hours; empty unless the manifest `wants` `recent-tickets`.
	Recent []RecentTicket
}

// What to change in an accepted submission. `none` and empty lists change nothing.
type Changes struct {
	Subject *string
	Body    *string
	// Fields to set or to add; each must exist in the request type's form.
	Fields []Field
	// Tags to add.
	Tags []string
	// Signals to add for the stages after this one.
	Signals []string
	// The short key of a ticket that this one seems to repeat; shown to agents.
	DuplicateOf *string
}

// Something that the requester has to mend before the submission can be accepted.
type Problem struct {
	// The form field, or `subject` or `body`.
	Field string
	// A stable word for programs, such as `required`.
	Code string
	// A sentence for the requester: what is wrong and what to do.
	Message string
}

type IntakeDecision interface{ isIntakeDecision() }

type IntakeAccept struct{ Value Changes }

func (IntakeAccept) isIntakeDecision() {}

// At least one problem.
type IntakeReject struct{ Value []Problem }

func (IntakeReject) isIntakeDecision() {}

type IntakeAnswer struct {
	Decision IntakeDecision
	// One sentence for people: why.
	Reason     string
	Attributes []Attribute
}

// Asked when a submission has been accepted.
//
// The first category wins; tags of all rules are united. If no rule answers, the request type's default category stands.
type CategorizationInput struct {
	Now       Moment
	Ticket    Ticket
	Requester Person
	SoFar     SoFar
}

type Classification struct {
	// A category's id in the taxonomy; `none` adds tags only.
	Category *string
	// Tags to add, each in the taxonomy.
	Tags []string
	// `incident`, `request`, `problem` or `change`, where the request type's own kind is not right.
	Kind *string
}

type CategorizationDecision interface{ isCategorizationDecision() }

// No opinion.
type CategorizationPass struct{}

func (CategorizationPass) isCategorizationDecision() {}

type CategorizationClassify struct{ Value Classification }

func (CategorizationClassify) isCategorizationDecision() {}

type CategorizationAnswer struct {
	Decision CategorizationDecision
	// One sentence for people: why.
	Reason     string
	Attributes []Attribute
}

// Asked when the category is known.
//
// The highest level proposed wins, unless a rule whose manifest says `override` proposes one: then that one, the first
// of several. If no rule answers, the desk's default level stands.
type PriorityInput struct {
	Now       Moment
	Ticket    Ticket
	Requester Person
	SoFar     SoFar
}

type Rating struct {
	// How much of the organisation is affected; an id of the desk's impact scale.
	Impact *string
	// How soon it matters; an id of the desk's urgency scale.
	Urgency *string
	// The priority level's id.
	Level string
}

type PriorityDecision interface{ isPriorityDecision() }

// No opinion.
type PriorityPass struct{}

func (PriorityPass) isPriorityDecision() {}

type PriorityRate struct{ Value Rating }

func (PriorityRate) isPriorityDecision() {}

type PriorityAnswer struct {
	Decision PriorityDecision
	// One sentence for people: why.
	Reason     string
	Attributes []Attribute
}

// Asked when the priority is known, and again when a ticket changes hands.
//
// The first answer wins. If no rule answers, the category's own team or the desk's default team takes the ticket.
// A rule says what is needed; which member gets it is settled by the desk when the ticket is stored, where the true
// load of each is known.
type RoutingInput struct {
	Now       Moment
	Ticket    Ticket
	Requester Person
	SoFar     SoFar
}

type Destination struct {
	// The team's id; `none` lets the desk find a team whose members have the skills.
	Team *string
	// The id of the one person who should have it.
	Assignee *string
	// What the person who gets it must be able to do; members without these skills are passed over.
	Skills []string
	// `round-robin` or `least-loaded`; `none` uses the team's own.
	Strategy *string
	// The escalation tier: 1 is the first line.
	Tier *uint8
}

type RoutingDecision interface{ isRoutingDecision() }

// No opinion.
type RoutingPass struct{}

func (RoutingPass) isRoutingDecision() {}

type RoutingAssign struct{ Value Destination }

func (RoutingAssign) isRoutingDecision() {}

type RoutingAnswer struct {
	Decision RoutingDecision
	// One sentence for people: why.
	Reason     string
	Attributes []Attribute
}

// What is asked for.
type Request struct {
	// `new`, or `extend` for more time on a grant that is held.
	Kind string
	// The app's id in the catalog.
	App string
	// The licence tier's id.
	Tier string
	Role *string
	// Groups asked for beyond those that the tier gives.
	Groups []string
	// For how long; `none` asks for the longest that the catalog allows.
	DurationHours *uint32
	Justification string
}

// What the catalog says about the requested tier.
type CatalogItem struct {
	App string
	// The app's name as people read it.
	Name string
	Tier string
	// The risk class, such as `low` or `high`.
	Risk string
	// The longest grant, in hours.
	MaxDurationHours uint32
	// The id of the person who answers for the app.
	Owner *string
	// The groups that the tier gives.
	Groups []string
	// Licences not yet handed out; `none` where they are not counted.
	SeatsLeft  *uint32
	Attributes []Attribute
}

// Access that the subject holds, or has held in the last year.
type Grant struct {
	App       string
	Tier      string
	Role      *string
	Groups    []string
	GrantedAt Timestamp
	ExpiresAt Timestamp
	// `active` or `ended`.
	State string
}

// The subject's requests in the last 365 days, this one not counted.
type History struct {
	Requested uint32
	Approved  uint32
	Denied    uint32
	Revoked   uint32
}

// How common this access is among the subject's peers.
type Peers struct {
	// People in the subject's department, the subject not counted.
	DepartmentSize uint32
	// Those of them who hold the same tier or a higher one.
	DepartmentHolders uint32
}

// Asked when somebody requests access, and again before a grant is extended.
//
// A denial overrides; otherwise the required approvals of all rules are united. The request is approved by itself only
// when at least one rule approves and none asks for a person. The narrowest scope proposed is granted. If a rule fails, or
// none answers, a person decides.
type AccessInput struct {
	Now       Moment
	Ticket    Ticket
	Requester Person
	SoFar     SoFar
	Request   Request
	Item      CatalogItem
	// Who is to have the access: the requester, or somebody the requester asks for.
	Subject Person
	Grants  []Grant
	History History
	Peers   Peers
}

// What is granted, or is granted once people approve. Never more than the catalog allows.
type Scope struct {
	Tier          string
	Role          *string
	Groups        []string
	DurationHours uint32
}

// One step of approval.
type ApprovalStep struct {
	// Who may approve: ids of people, or `group:NAME` for the members of a group.
	Approvers []string
	// How many of them have to; at least 1.
	Needed uint32
	// By when, in hours from now; after that the request is denied.
	DueInHours uint32
}

type ApprovalPlan struct {
	// The steps, one after the other.
	Steps []ApprovalStep
	Scope Scope
}

type AccessDecision interface{ isAccessDecision() }

// No opinion.
type AccessPass struct{}

func (AccessPass) isAccessDecision() {}

type AccessApprove struct{ Value Scope }

func (AccessApprove) isAccessDecision() {}

type AccessRequireApproval struct{ Value ApprovalPlan }

func (AccessRequireApproval) isAccessDecision() {}

type AccessDeny struct{}

func (AccessDeny) isAccessDecision() {}

type AccessAnswer struct {
	Decision AccessDecision
	// One sentence for people: why.
	Reason     string
	Attributes []Attribute
}
