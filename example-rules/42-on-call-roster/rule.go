// on-call-roster: gives urgent tickets to whoever is on call.
package main

import (
	"slices"

	"ruledesk.local/sdk"
	"ruledesk.local/sdk/routing"
)

var (
	priorities []string
	shifts     []shift
)

func init() {
	ruledesk.Configure(configure)
	routing.Decide(decide)
}

func main() {}

func configure(given *ruledesk.Settings) {
	priorities = given.Texts("priorities")
	begins, ok := day(given.Text("begins"))
	if !ok || weekday(begins) != 1 {
		given.Problem("`begins` has to be a Monday, such as \"2026-01-05\".")
	}
	shifts = nil
	for _, inner := range given.Tables("shifts") {
		own := readShift(inner, begins)
		given.Take("shift `"+own.name+"`", inner)
		shifts = append(shifts, own)
	}
}

func decide(in *routing.Input) (routing.Answer, error) {
	if !slices.Contains(priorities, ruledesk.Or(in.SoFar.Priority, "")) {
		return routing.Pass().Because("its priority can wait"), nil
	}
	today, minute := int(in.Now.LocalDay), int(in.Now.MinuteOfDay)
	for _, own := range shifts {
		person, found := own.onCall(today, minute)
		if !found {
			continue
		}
		ruledesk.Debug("the " + own.name + " shift has " + person)
		to := routing.Destination{Team: ruledesk.Some(own.team), Assignee: ruledesk.Some(person)}
		return routing.Assign(to).Because(person + " is on call for the " + own.name + " shift"), nil
	}
	return routing.Pass().Because("nobody is on call at this hour"), nil
}
