import unittest

from rule import rule
from ruledesk.testing import ask, problems

SETTINGS = {
    "model": {
        "a": {"tickets": 10, "words": {"printer": 9, "toner": 5}},
        "b": {"tickets": 10, "words": {"vpn": 9, "tunnel": 5}},
    }
}


class SimilarWordsTest(unittest.TestCase):
    def test_the_likelier_category_wins(self) -> None:
        answer = ask(rule, "categorization", SETTINGS, ticket={"subject": "Toner for the printer"})
        self.assertEqual(answer.value.category, "a")
        self.assertGreater(float(answer.attributes[0].value), 0.9)

    def test_a_small_category_does_not_win_by_words_that_it_never_had(self) -> None:
        model = {
            "large": {"tickets": 3000, "words": {"laptop": 20, "dock": 20, "cable": 20}},
            "small": {"tickets": 3, "words": {"cad": 2}},
        }
        answer = ask(rule, "categorization", {"model": model}, ticket={"subject": "laptop dock cable"})
        self.assertEqual(answer.value.category, "large")
        self.assertIn("laptop", answer.reason)

    def test_words_that_speak_for_none_decide_nothing(self) -> None:
        model = {
            "large": {"tickets": 3000, "words": {"hello": 300, "please": 300}},
            "small": {"tickets": 30, "words": {"hello": 3, "please": 3, "vpn": 20}},
        }
        answer = ask(rule, "categorization", {"model": model}, ticket={"subject": "hello, please"})
        self.assertEqual(answer.decision, "pass")

    def test_a_ticket_with_a_category_is_left_alone(self) -> None:
        answer = ask(rule, "categorization", SETTINGS, ticket={"subject": "Toner printer"}, so_far={"category": "b"})
        self.assertEqual(answer.decision, "pass")

    def test_what_is_wrong_with_a_model_is_said(self) -> None:
        self.assertIn("at least two", problems(rule, {"model": {}})[0])
        self.assertIn('model."b"', problems(rule, {"model": {**SETTINGS["model"], "b": {"tickets": 0}}})[0])


if __name__ == "__main__":
    unittest.main()
