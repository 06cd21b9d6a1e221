package ruledesk

// Because is the answer with this reason, one sentence for people.
func (a IntakeAnswer) Because(reason string) IntakeAnswer {
	a.Reason = reason
	return a
}

// With is the answer with one more attribute.
func (a IntakeAnswer) With(name, value string) IntakeAnswer {
	a.Attributes = append(a.Attributes, Attribute{Name: name, Value: value})
	return a
}

// Because is the answer with this reason, one sentence for people.
func (a CategorizationAnswer) Because(reason string) CategorizationAnswer {
	a.Reason = reason
	return a
}

// With is the answer with one more attribute.
func (a CategorizationAnswer) With(name, value string) CategorizationAnswer {
	a.Attributes = append(a.Attributes, Attribute{Name: name, Value: value})
	return a
}

// Because is the answer with this reason, one sentence for people.
func (a PriorityAnswer) Because(reason string) PriorityAnswer {
	a.Reason = reason
	return a
}

// With is the answer with one more attribute.
func (a PriorityAnswer) With(name, value string) PriorityAnswer {
	a.Attributes = append(a.Attributes, Attribute{Name: name, Value: value})
	return a
}

// Because is the answer with this reason, one sentence for people.
func (a RoutingAnswer) Because(reason string) RoutingAnswer {
	a.Reason = reason
	return a
}

// With is the answer with one more attribute.
func (a RoutingAnswer) With(name, value string) RoutingAnswer {
	a.Attributes = append(a.Attributes, Attribute{Name: name, Value: value})
	return a
}

// Because is the answer with this reason, one sentence for people.
func (a AccessAnswer) Because(reason string) AccessAnswer {
	a.Reason = reason
	return a
}

// With is the answer with one more attribute.
func (a AccessAnswer) With(name, value string) AccessAnswer {
	a.Attributes = append(a.Attributes, Attribute{Name: name, Value: value})
	return a
}
