module reference-rule

go 1.24

require ruledesk.local/sdk v0.0.0

// `ruledesk rule build` writes the SDK there.
replace ruledesk.local/sdk => ./.ruledesk/sdk
