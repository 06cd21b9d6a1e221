// Written from sdk/wit by a test: do not edit.

package ruledesk

func liftMoment(at uint32) Moment {
	return Moment{
		At:              get64(at + 0),
		UtcOffset:       getS16(at + 8),
		LocalDay:        getS32(at + 12),
		Weekday:         get8(at + 16),
		MinuteOfDay:     get16(at + 18),
		InBusinessHours: getBool(at + 20),
	}
}

func liftAttribute(at uint32) Attribute {
	return Attribute{
		Name:  getText(at + 0),
		Value: getText(at + 8),
	}
}

func liftValue(at uint32) Value {
	switch get8(at) {
	case 0:
		return ValueText{getText(at + 8)}
	case 1:
		return ValueNumber{getF64(at + 8)}
	case 2:
		return ValueFlag{getBool(at + 8)}
	case 3:
		return ValueDate{getText(at + 8)}
	case 4:
		return ValueChoice{getText(at + 8)}
	case 5:
		return ValueChoices{listOf(8, getText)(at + 8)}
	}
	panic("a value of no known kind")
}

func liftField(at uint32) Field {
	return Field{
		Name:  getText(at + 0),
		Value: liftValue(at + 8),
	}
}

func liftPerson(at uint32) Person {
	return Person{
		ID:         getText(at + 0),
		Name:       getText(at + 8),
		Email:      getText(at + 16),
		Department: getText(at + 24),
		Title:      getText(at + 32),
		Location:   getText(at + 40),
		Groups:     listOf(8, getText)(at + 48),
		Managers:   listOf(8, getText)(at + 56),
		Vip:        getBool(at + 64),
		Attributes: listOf(16, liftAttribute)(at + 68),
	}
}

func liftAttachment(at uint32) Attachment {
	return Attachment{
		Name:      getText(at + 0),
		MediaType: getText(at + 8),
		Size:      get64(at + 16),
	}
}

func liftTicket(at uint32) Ticket {
	return Ticket{
		RequestType: getText(at + 0),
		Channel:     getText(at + 8),
		Subject:     getText(at + 16),
		Body:        getText(at + 24),
		Fields:      listOf(24, liftField)(at + 32),
		Tags:        listOf(8, getText)(at + 40),
		Signals:     listOf(8, getText)(at + 48),
		Attachments: listOf(24, liftAttachment)(at + 56),
		CreatedAt:   get64(at + 64),
		Attributes:  listOf(16, liftAttribute)(at + 72),
	}
}

func liftSoFar(at uint32) SoFar {
	return SoFar{
		Category:   optionOf(4, getText)(at + 0),
		Tags:       listOf(8, getText)(at + 12),
		Kind:       getText(at + 20),
		Impact:     optionOf(4, getText)(at + 28),
		Urgency:    optionOf(4, getText)(at + 40),
		Priority:   optionOf(4, getText)(at + 52),
		Team:       optionOf(4, getText)(at + 64),
		Assignee:   optionOf(4, getText)(at + 76),
		Attributes: listOf(16, liftAttribute)(at + 88),
	}
}

func liftRecentTicket(at uint32) RecentTicket {
	return RecentTicket{
		Key:         getText(at + 0),
		RequestType: getText(at + 8),
		Subject:     getText(at + 16),
		State:       getText(at + 24),
		CreatedAt:   get64(at + 32),
	}
}

func liftIntakeInput(at uint32) IntakeInput {
	return IntakeInput{
		Now:         liftMoment(at + 0),
		Ticket:      liftTicket(at + 24),
		Requester:   liftPerson(at + 104),
		SubmittedBy: getText(at + 180),
		Headers:     listOf(16, liftAttribute)(at + 188),
		Recent:      listOf(40, liftRecentTicket)(at + 196),
	}
}

func liftCategorizationInput(at uint32) CategorizationInput {
	return CategorizationInput{
		Now:       liftMoment(at + 0),
		Ticket:    liftTicket(at + 24),
		Requester: liftPerson(at + 104),
		SoFar:     liftSoFar(at + 180),
	}
}

func liftPriorityInput(at uint32) PriorityInput {
	return PriorityInput{
		Now:       liftMoment(at + 0),
		Ticket:    liftTicket(at + 24),
		Requester: liftPerson(at + 104),
		SoFar:     liftSoFar(at + 180),
	}
}

func liftRoutingInput(at uint32) RoutingInput {
	return RoutingInput{
		Now:       liftMoment(at + 0),
		Ticket:    liftTicket(at + 24),
		Requester: liftPerson(at + 104),
		SoFar:     liftSoFar(at + 180),
	}
}

func liftRequest(at uint32) Request {
	return Request{
		Kind:          getText(at + 0),
		App:           getText(at + 8),
		Tier:          getText(at + 16),
		Role:          optionOf(4, getText)(at + 24),
		Groups:        listOf(8, getText)(at + 36),
		DurationHours: optionOf(4, get32)(at + 44),
		Justification: getText(at + 52),
	}
}

func liftCatalogItem(at uint32) CatalogItem {
	return CatalogItem{
		App:              getText(at + 0),
		Name:             getText(at + 8),
		Tier:             getText(at + 16),
		Risk:             getText(at + 24),
		MaxDurationHours: get32(at + 32),
		Owner:            optionOf(4, getText)(at + 36),
		Groups:           listOf(8, getText)(at + 48),
		SeatsLeft:        optionOf(4, get32)(at + 56),
		Attributes:       listOf(16, liftAttribute)(at + 64),
	}
}

func liftGrant(at uint32) Grant {
	return Grant{
		App:       getText(at + 0),
		Tier:      getText(at + 8),
		Role:      optionOf(4, getText)(at + 16),
		Groups:    listOf(8, getText)(at + 28),
		GrantedAt: get64(at + 40),
		ExpiresAt: get64(at + 48),
		State:     getText(at + 56),
	}
}

func liftHistory(at uint32) History {
	return History{
		Requested: get32(at + 0),
		Approved:  get32(at + 4),
		Denied:    get32(at + 8),
		Revoked:   get32(at + 12),
	}
}

func liftPeers(at uint32) Peers {
	return Peers{
		DepartmentSize:    get32(at + 0),
		DepartmentHolders: get32(at + 4),
	}
}

func liftAccessInput(at uint32) AccessInput {
	return AccessInput{
		Now:       liftMoment(at + 0),
		Ticket:    liftTicket(at + 24),
		Requester: liftPerson(at + 104),
		SoFar:     liftSoFar(at + 180),
		Request:   liftRequest(at + 276),
		Item:      liftCatalogItem(at + 336),
		Subject:   liftPerson(at + 408),
		Grants:    listOf(64, liftGrant)(at + 484),
		History:   liftHistory(at + 492),
		Peers:     liftPeers(at + 508),
	}
}

func lowerAttribute(at uint32, v Attribute) {
	putText(at+0, v.Name)
	putText(at+8, v.Value)
}

func lowerValue(at uint32, v Value) {
	switch v := v.(type) {
	case ValueText:
		put8(at, 0)
		putText(at+8, v.Value)
	case ValueNumber:
		put8(at, 1)
		putF64(at+8, v.Value)
	case ValueFlag:
		put8(at, 2)
		putBool(at+8, v.Value)
	case ValueDate:
		put8(at, 3)
		putText(at+8, v.Value)
	case ValueChoice:
		put8(at, 4)
		putText(at+8, v.Value)
	case ValueChoices:
		put8(at, 5)
		putList(8, 4, putText)(at+8, v.Value)
	default:
		panic("the answer has no decision")
	}
}

func lowerField(at uint32, v Field) {
	putText(at+0, v.Name)
	lowerValue(at+8, v.Value)
}

func lowerChanges(at uint32, v Changes) {
	putOption(4, putText)(at+0, v.Subject)
	putOption(4, putText)(at+12, v.Body)
	putList(24, 8, lowerField)(at+24, v.Fields)
	putList(8, 4, putText)(at+32, v.Tags)
	putList(8, 4, putText)(at+40, v.Signals)
	putOption(4, putText)(at+48, v.DuplicateOf)
}

func lowerProblem(at uint32, v Problem) {
	putText(at+0, v.Field)
	putText(at+8, v.Code)
	putText(at+16, v.Message)
}

func lowerIntakeDecision(at uint32, v IntakeDecision) {
	switch v := v.(type) {
	case IntakeAccept:
		put8(at, 0)
		lowerChanges(at+4, v.Value)
	case IntakeReject:
		put8(at, 1)
		putList(24, 4, lowerProblem)(at+4, v.Value)
	default:
		panic("the answer has no decision")
	}
}

func lowerIntakeAnswer(at uint32, v IntakeAnswer) {
	lowerIntakeDecision(at+0, v.Decision)
	putText(at+64, v.Reason)
	putList(16, 4, lowerAttribute)(at+72, v.Attributes)
}

func lowerClassification(at uint32, v Classification) {
	putOption(4, putText)(at+0, v.Category)
	putList(8, 4, putText)(at+12, v.Tags)
	putOption(4, putText)(at+20, v.Kind)
}

func lowerCategorizationDecision(at uint32, v CategorizationDecision) {
	switch v := v.(type) {
	case CategorizationPass:
		put8(at, 0)
		_ = v
	case CategorizationClassify:
		put8(at, 1)
		lowerClassification(at+4, v.Value)
	default:
		panic("the answer has no decision")
	}
}

func lowerCategorizationAnswer(at uint32, v CategorizationAnswer) {
	lowerCategorizationDecision(at+0, v.Decision)
	putText(at+36, v.Reason)
	putList(16, 4, lowerAttribute)(at+44, v.Attributes)
}

func lowerRating(at uint32, v Rating) {
	putOption(4, putText)(at+0, v.Impact)
	putOption(4, putText)(at+12, v.Urgency)
	putText(at+24, v.Level)
}

func lowerPriorityDecision(at uint32, v PriorityDecision) {
	switch v := v.(type) {
	case PriorityPass:
		put8(at, 0)
		_ = v
	case PriorityRate:
		put8(at, 1)
		lowerRating(at+4, v.Value)
	default:
		panic("the answer has no decision")
	}
}

func lowerPriorityAnswer(at uint32, v PriorityAnswer) {
	lowerPriorityDecision(at+0, v.Decision)
	putText(at+36, v.Reason)
	putList(16, 4, lowerAttribute)(at+44, v.Attributes)
}

func lowerDestination(at uint32, v Destination) {
	putOption(4, putText)(at+0, v.Team)
	putOption(4, putText)(at+12, v.Assignee)
	putList(8, 4, putText)(at+24, v.Skills)
	putOption(4, putText)(at+32, v.Strategy)
	putOption(1, put8)(at+44, v.Tier)
}

func lowerRoutingDecision(at uint32, v RoutingDecision) {
	switch v := v.(type) {
	case RoutingPass:
		put8(at, 0)
		_ = v
	case RoutingAssign:
		put8(at, 1)
		lowerDestination(at+4, v.Value)
	default:
		panic("the answer has no decision")
	}
}

func lowerRoutingAnswer(at uint32, v RoutingAnswer) {
	lowerRoutingDecision(at+0, v.Decision)
	putText(at+52, v.Reason)
	putList(16, 4, lowerAttribute)(at+60, v.Attributes)
}

func lowerScope(at uint32, v Scope) {
	putText(at+0, v.Tier)
	putOption(4, putText)(at+8, v.Role)
	putList(8, 4, putText)(at+20, v.Groups)
	put32(at+28, v.DurationHours)
}

func lowerApprovalStep(at uint32, v ApprovalStep) {
	putList(8, 4, putText)(at+0, v.Approvers)
	put32(at+8, v.Needed)
	put32(at+12, v.DueInHours)
}

func lowerApprovalPlan(at uint32, v ApprovalPlan) {
	putList(16, 4, lowerApprovalStep)(at+0, v.Steps)
	lowerScope(at+8, v.Scope)
}

func lowerAccessDecision(at uint32, v AccessDecision) {
	switch v := v.(type) {
	case AccessPass:
		put8(at, 0)
		_ = v
	case AccessApprove:
		put8(at, 1)
		lowerScope(at+4, v.Value)
	case AccessRequireApproval:
		put8(at, 2)
		lowerApprovalPlan(at+4, v.Value)
	case AccessDeny:
		put8(at, 3)
		_ = v
	default:
		panic("the answer has no decision")
	}
}

func lowerAccessAnswer(at uint32, v AccessAnswer) {
	lowerAccessDecision(at+0, v.Decision)
	putText(at+44, v.Reason)
	putList(16, 4, lowerAttribute)(at+52, v.Attributes)
}

// AskIntake reads an input, asks the rule and leaves its answer. Only the stage's package calls it.
func AskIntake(input uint32, rule func(*IntakeInput) (IntakeAnswer, error)) uint32 {
	result := alloc(84, 4)
	in := liftIntakeInput(input)
	answer, failed := asked(&in, rule)
	if failed == nil && answer.Decision == nil {
		failed = Failure("the answer has no decision")
	}
	if failed != nil {
		put8(result, 1)
		putText(result+4, failed.Error())
		return result
	}
	put8(result, 0)
	lowerIntakeAnswer(result+4, answer)
	return result
}

// AskCategorization reads an input, asks the rule and leaves its answer. Only the stage's package calls it.
func AskCategorization(input uint32, rule func(*CategorizationInput) (CategorizationAnswer, error)) uint32 {
	result := alloc(56, 4)
	in := liftCategorizationInput(input)
	answer, failed := asked(&in, rule)
	if failed == nil && answer.Decision == nil {
		failed = Failure("the answer has no decision")
	}
	if failed != nil {
		put8(result, 1)
		putText(result+4, failed.Error())
		return result
	}
	put8(result, 0)
	lowerCategorizationAnswer(result+4, answer)
	return result
}

// AskPriority reads an input, asks the rule and leaves its answer. Only the stage's package calls it.
func AskPriority(input uint32, rule func(*PriorityInput) (PriorityAnswer, error)) uint32 {
	result := alloc(56, 4)
	in := liftPriorityInput(input)
	answer, failed := asked(&in, rule)
	if failed == nil && answer.Decision == nil {
		failed = Failure("the answer has no decision")
	}
	if failed != nil {
		put8(result, 1)
		putText(result+4, failed.Error())
		return result
	}
	put8(result, 0)
	lowerPriorityAnswer(result+4, answer)
	return result
}

// AskRouting reads an input, asks the rule and leaves its answer. Only the stage's package calls it.
func AskRouting(input uint32, rule func(*RoutingInput) (RoutingAnswer, error)) uint32 {
	result := alloc(72, 4)
	in := liftRoutingInput(input)
	answer, failed := asked(&in, rule)
	if failed == nil && answer.Decision == nil {
		failed = Failure("the answer has no decision")
	}
	if failed != nil {
		put8(result, 1)
		putText(result+4, failed.Error())
		return result
	}
	put8(result, 0)
	lowerRoutingAnswer(result+4, answer)
	return result
}

// AskAccess reads an input, asks the rule and leaves its answer. Only the stage's package calls it.
func AskAccess(input uint32, rule func(*AccessInput) (AccessAnswer, error)) uint32 {
	result := alloc(64, 4)
	in := liftAccessInput(input)
	answer, failed := asked(&in, rule)
	if failed == nil && answer.Decision == nil {
		failed = Failure("the answer has no decision")
	}
	if failed != nil {
		put8(result, 1)
		putText(result+4, failed.Error())
		return result
	}
	put8(result, 0)
	lowerAccessAnswer(result+4, answer)
	return result
}
