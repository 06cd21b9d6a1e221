# The end of the file ties in an object with the world, which `ruledesk rule build` puts in itself.
/Ensure that the \*_component_type/ { exit }
# Puts what exports a stage between #ifdef RD_STAGE_... and #endif, so that a rule exports only its own.
match($0, /__export_name__\("(cabi_post_)?ruledesk:rules\/(intake|categorization|priority|routing|access)@/) {
    name = $0; sub(/.*ruledesk:rules\//, "", name); sub(/@.*/, "", name)
    print "#ifdef RD_STAGE_" toupper(name); inside = 1
}
{ print }
inside && /^}/ { print "#endif"; inside = 0 }
