"""Creates, is refused, lists and turns pages, by a client that was made from the desk's own document."""

import sys

from client import AuthenticatedClient
from client.api.tickets import get_tickets, get_tickets_by_key, patch_tickets_by_key, post_tickets
from client.models import EditBody, NewTicketBody, Problem, TicketPage, TicketView

amara, kofi = (AuthenticatedClient(base_url=sys.argv[1], token=f"demo-{person}") for person in ("amara", "kofi"))

keys = []
for number in range(5):
    body = NewTicketBody.from_dict({
        "request_type": "incident", "subject": f"VPN is down, {number}", "body": "Nobody can reach it.",
        "fields": {"service": "vpn", "people-affected": 40},
    })
    made = post_tickets.sync(client=amara, body=body)
    assert isinstance(made, TicketView), made
    assert made.fields["people-affected"] == 40
    keys.append(made.key)

refused = post_tickets.sync(client=amara, body=NewTicketBody(request_type="hardware", subject="A laptop", body="soon"))
assert isinstance(refused, Problem), refused
assert refused.type_ == "/problems/rejected" and refused.status == 422, refused
assert {problem.field for problem in refused.problems} >= {"device"}, refused

strange = get_tickets_by_key.sync(client=amara, key="IT-77")
assert isinstance(strange, Problem) and strange.status == 404, strange

seen, after = [], None
while True:
    page = get_tickets.sync(client=kofi, limit=2, **({"after": after} if after else {}))
    assert isinstance(page, TicketPage), page
    seen += [ticket.key for ticket in page.tickets]
    after = page.next_ if isinstance(page.next_, str) else None
    if after is None:
        break
assert sorted(seen) == sorted(keys), seen

edit = EditBody(priority="critical", reason="all of Berlin")
stale = patch_tickets_by_key.sync(client=kofi, key=keys[0], body=edit, if_match='"77"')
assert isinstance(stale, Problem) and stale.status == 412, stale
edited = patch_tickets_by_key.sync(client=kofi, key=keys[0], body=edit, if_match='"1"')
assert isinstance(edited, TicketView) and edited.priority == "critical", edited
print("all of it works")
