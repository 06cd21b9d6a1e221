package categorization

import "ruledesk.local/sdk"

//go:wasmexport ruledesk:rules/categorization@1.0.0#decide
func decide(input uint32) uint32 { return ruledesk.AskCategorization(input, rule) }

//go:wasmexport cabi_post_ruledesk:rules/categorization@1.0.0#decide
func done(uint32) { ruledesk.Done() }
