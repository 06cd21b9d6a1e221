//! The attacks that were tried on the desk from outside, and the tests in which each of them ends as it should.
//!
//! Of each attack the list names every test that would fail if it worked again.

mod answers;
mod damaged;
mod damaged_lists;
mod guests;
mod starts;
mod stranger;
mod terminal;
mod work;

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::components::root;

/// An attack in a few words, and its tests.
const ATTACKS: [(&str, &[&str]); 47] = [
    ("a sentence for each of a million unknown words", &["so_many_problems_are_named_and_no_more"]),
    (
        "large tickets, comments and timelines, and answers that nobody reads",
        &[
            "pages_end_where_they_get_long",
            "every_text_has_an_end",
            "an_answer_that_is_not_read_ends_and_gives_back_its_place",
            "long_texts_and_answers_that_are_not_read_take_less_than_half_a_gigabyte",
            "a_requester_has_so_many_open_tickets_comments_and_bytes",
            "a_page_of_long_articles_ends_early_and_says_where_the_next_begins",
        ],
    ),
    (
        "edits of what takes effect, behind the desk's back",
        &[
            "each_edit_of_what_takes_effect_is_named",
            "each_edit_of_who_comes_in_and_of_what_was_published_is_named",
            "an_edit_of_the_directory_or_of_a_sign_in_or_of_a_stop_is_named",
        ],
    ),
    ("long manifests that are compared", &["long_manifests_are_compared_while_others_are_served"]),
    (
        "megabytes for a request that one may not make",
        &[
            "permission_is_asked_before_a_body_is_read",
            "who_may_not_use_a_route_hears_so_before_a_body_is_read_on_every_route",
            "what_an_admin_sends_to_be_tried_takes_less_than_half_a_gigabyte",
        ],
    ),
    ("a component of names alone", &["what_guests_say_has_a_bound_and_is_text"]),
    ("a rule for access that fails", &["the_manager_the_owner_and_by_risk_the_access_approvers_are_asked_for_a_day"]),
    (
        "connections that send half a head",
        &[
            "half_sent_heads_make_room_and_requests_in_progress_stay",
            "a_desk_that_is_out_of_descriptors_goes_on_writing",
        ],
    ),
    (
        "look-ups, words and names without end",
        &[
            "what_guests_say_has_a_bound_and_is_text",
            "a_name_that_does_not_exist_is_repeated_short_and_as_text",
            "the_problems_of_a_rule_are_short_and_text_for_the_requester_and_in_a_draft",
            "texts_of_rules_are_held_to_the_law_of_peoples",
        ],
    ),
    (
        "words by which a record is not compared",
        &["what_guests_say_has_a_bound_and_is_text", "whatever_was_edited_is_found_and_said_field_by_field"],
    ),
    ("a list among a million tickets", &["every_list_is_served_by_an_index"]),
    (
        "every route in every role",
        &[
            "every_route_asks_who_is_there",
            "roles_bound_what_can_be_done",
            "a_requester_sees_no_part_that_the_timeline_keeps_internal",
        ],
    ),
    ("one approver for two steps", &["one_person_is_one_of_two_approvers"]),
    (
        "a requester who has the version before decide",
        &[
            "one_person_and_large_texts_take_no_rule_from_others",
            "a_suspended_access_rule_does_not_give_way_to_the_version_before",
        ],
    ),
    (
        "two requests that no one may hold together",
        &[
            "what_conflicts_is_found_when_it_is_given_also_where_both_were_asked_for_at_once",
            "seats_are_counted_when_access_is_given",
        ],
    ),
    ("the same state ten thousand times", &["a_query_is_short_and_a_state_counts_once"]),
    (
        "texts on which rules run out of fuel",
        &[
            "every_shipped_rule_and_table_decides_on_the_largest_text",
            "one_person_and_large_texts_take_no_rule_from_others",
        ],
    ),
    (
        "escape sequences for a terminal",
        &[
            "control_characters_are_refused_at_the_door_and_line_ends_stay_in_long_texts",
            "what_guests_say_has_a_bound_and_is_text",
            "differences_between_tables_are_text",
            "what_an_import_says_of_its_rows_is_text",
            "what_a_backtest_says_of_a_candidate_is_text",
            "json_that_a_command_prints_is_text",
            "what_a_requester_writes_is_text_wherever_a_ticket_is_explained",
        ],
    ),
    (
        "one admin alone where two are asked for",
        &[
            "one_person_does_not_retire_replace_or_move_what_decides",
            "one_person_does_not_roll_back_or_resume_and_may_only_make_it_stricter",
            "a_table_that_decides_about_access_waits_for_a_second_person",
            "what_settles_the_request_before_waits_for_a_second_person",
        ],
    ),
    ("an unsigned component in a dry run", &["a_desk_that_trusts_a_key_takes_no_other_upload"]),
    ("a clock that is set", &["a_grant_that_begins_later_can_be_taken_back", "a_key_ends_and_is_forgotten"]),
    ("answers before bodies", &["an_early_answer_reaches_a_client_that_sends_all_first"]),
    ("bodies that come slowly", &["a_client_that_is_slow_hears_so_and_an_orderly_stop_is_quick_and_quiet"]),
    (
        "requests by hand",
        &[
            "every_malformed_request_gets_a_problem_that_names_what_was_wrong",
            "strange_paths_queries_and_headers_are_answered",
        ],
    ),
    (
        "tokens that were taken back",
        &["a_token_is_known_until_it_is_revoked", "unknown_tokens_are_looked_for_only_so_often_and_known_ones_pass"],
    ),
    (
        "many at once on one ticket",
        &[
            "the_same_comment_sent_many_times_at_once_is_there_once",
            "of_many_who_ask_for_the_same_at_once_one_is_taken",
        ],
    ),
    (
        "what stands between the desk and its database",
        &["two_desks_work_behind_pgbouncer_in_transaction_mode", "without_the_option_it_is_said_what_to_set"],
    ),
    (
        "clients that hang up",
        &[
            "a_client_that_hangs_up_leaves_no_connection_within_a_transaction",
            "on_every_route_that_reads_a_client_may_hang_up",
            "on_every_route_that_writes_a_client_may_hang_up",
        ],
    ),
    ("a host that stands still", &["a_host_that_stands_still_within_a_transaction_stops_no_other_for_long"]),
    ("a database that is away", &["a_server_that_is_killed_and_started_again_costs_some_refusals_and_no_ticket"]),
    (
        "kills under load",
        &["what_was_acknowledged_is_there_after_a_kill", "killed_while_rules_arrive_a_desk_has_the_old_or_the_new_one"],
    ),
    ("lists under load", &["lists_keep_no_token_no_key_and_no_writing_waiting"]),
    ("a log that grows", &["the_log_is_bounded_while_much_is_written_and_given_back_afterwards"]),
    (
        "a denying rule that is there and does not decide",
        &[
            "whatever_happens_to_folders_a_rule_for_access_decides_or_a_person_does",
            "folders_beyond_the_limit_are_refused_by_name_and_a_person_decides_about_access",
        ],
    ),
    (
        "rules that take all the time",
        &[
            "rules_that_take_all_the_time_leave_the_rest_to_its_fallback_and_are_taken_out",
            "what_the_host_does_for_a_rule_costs_fuel",
        ],
    ),
    (
        "changes that each leave an entry: who follows, how it went, where it stands",
        &["a_requester_has_so_many_open_tickets_comments_and_bytes"],
    ),
    (
        "a stream that goes on after its token was taken back",
        &["a_stream_ends_where_its_token_or_session_was_taken_back_and_others_go_on"],
    ),
    (
        "what is left of a person who was erased",
        &["an_erased_person_has_no_password_no_place_in_the_directory_and_no_files_left"],
    ),
    (
        "a configuration that leaves tickets behind",
        &[
            "open_tickets_follow_a_changed_calendar_target_and_list_of_priorities_once",
            "tickets_of_a_team_that_is_no_more_are_counted_listed_and_given_another",
        ],
    ),
    (
        "a component that compiles for ever",
        &["a_desk_serves_at_once_though_a_component_that_compiles_for_ever_lies_in_its_directory"],
    ),
    (
        "one without rights at the newer doors: drafts, lists, outages, submissions of several, questions, reports, filters",
        &["one_without_rights_keeps_asks_and_finds_little_and_leads_no_one_away"],
    ),
    (
        "rows that nothing of the desk's wrote",
        &["a_damaged_row_is_shown_as_damaged_and_spoils_no_list", "lists_behind_the_desk_are_as_whole"],
    ),
    (
        "an identity provider that hangs, lies or is another",
        &["while_the_provider_hangs_one_waits_for_it_and_no_other", "keys_change_and_a_provider_that_is_away_is_named"],
    ),
    (
        "passwords guessed, one after the other and many at once",
        &["a_person_signs_in_with_a_password_and_guessing_is_slowed_down"],
    ),
    (
        "connectors that call what they may not, and addresses inside",
        &[
            "a_call_that_is_not_allowed_is_not_made",
            "no_address_inside_the_network_is_asked_unless_the_connector_says_so",
            "an_address_inside_is_refused_when_a_desk_starts_and_when_a_name_leads_there",
        ],
    ),
    (
        "one who fills what all share: places for files and pages, counts by address, lists, an endpoint that hangs",
        &[
            "files_that_come_in_slowly_keep_only_their_sender_waiting",
            "one_person_has_so_many_files_that_no_ticket_has",
            "one_person_has_so_many_pages_made_at_once",
            "ends_that_strangers_make_up_keep_none_of_the_providers_waiting",
            "pictures_of_other_sites_use_up_no_sign_in",
            "what_others_share_takes_no_place_from_ones_own_lists",
            "an_endpoint_that_hangs_keeps_its_own_deliveries_waiting_and_no_others",
        ],
    ),
    (
        "a word about an order that no app has signed",
        &["a_word_that_is_not_signed_or_not_for_this_order_changes_nothing"],
    ),
];

fn tests_under(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tests_under(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let names =
                text.split("fn ").skip(1).filter_map(|rest| rest.split_once('(')).map(|(name, _)| name.to_owned());
            found.extend(names);
        }
    }
}

#[test]
fn every_attack_has_its_tests() {
    let mut found = BTreeSet::new();
    tests_under(&root().join("tests"), &mut found);
    for (attack, tests) in ATTACKS {
        for test in tests {
            assert!(found.contains(*test), "{attack}: there is no test `{test}`");
        }
    }
}
