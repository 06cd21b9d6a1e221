// Written from sdk/wit by a test: do not edit.

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type Timestamp = number;

/** The decision's time: the only clock a rule has. The same for every rule that one ticket asks. */
export interface Moment {
  /** The instant. */
  at: Timestamp;
  /** Minutes east of UTC in the desk's time zone at that instant. */
  utcOffset: number;
  /** The day in the desk's time zone, counted from 1970-01-01. */
  localDay: number;
  /** The day of the week in the desk's time zone, ISO 8601: Monday is 1, Sunday is 7. */
  weekday: number;
  /** Minutes since midnight in the desk's time zone, 0 to 1439. */
  minuteOfDay: number;
  /** Whether the desk's business calendar is open at that instant. */
  inBusinessHours: boolean;
}

/**
 * A name and its text: room for what this version of the contract has no field for.
 * A rule ignores names that it does not know.
 */
export interface Attribute {
  name: string;
  value: string;
}

/** What a form field holds. */
export type Value =
  /** Free text, one line or several. */
  | { tag: "text"; val: string }
  /** A number. */
  | { tag: "number"; val: number }
  /** Yes or no. */
  | { tag: "flag"; val: boolean }
  /** A calendar day, `YYYY-MM-DD`. */
  | { tag: "date"; val: string }
  /** One of the options that the form offers. */
  | { tag: "choice"; val: string }
  /** Some of the options that the form offers. */
  | { tag: "choices"; val: string[] };

/** One filled-in field of a request type's form. Fields left empty are absent. */
export interface Field {
  /** The field's name in the request type, such as `device`. */
  name: string;
  value: Value;
}

/** Somebody in the organisation. */
export interface Person {
  /** The stable id, such as `amara`. */
  id: string;
  /** The name as people read it. */
  name: string;
  /** The mail address; empty if there is none. */
  email: string;
  /** The department's name; empty if unknown. */
  department: string;
  /** The job title; empty if unknown. */
  title: string;
  /** The site or city; empty if unknown. */
  location: string;
  /** The groups this person is a member of. */
  groups: string[];
  /** The ids of the managers, nearest first. */
  managers: string[];
  /** Whether the organisation marks this person for special care. */
  vip: boolean;
  /** What else the organisation's directory says. */
  attributes: Attribute[];
}

/** An attached file, without its content. */
export interface Attachment {
  /** The file's name as sent. */
  name: string;
  /** The media type as sent, such as `image/png`. */
  mediaType: string;
  /** The size in bytes. */
  size: number;
}

/**
 * A ticket as its requester submitted it, and as intake normalised it.
 * It is the same for all stages after intake.
 */
export interface Ticket {
  /** The request type, such as `hardware`. */
  requestType: string;
  /** Where it came from, such as `api`, `portal`, `email`, `chat`, `import`. */
  channel: string;
  subject: string;
  body: string;
  /** The form's filled-in fields. */
  fields: Field[];
  /** The tags it came with, and those that intake added. */
  tags: string[];
  /** Signals of intake for the stages after it, such as `possible-duplicate`. */
  signals: string[];
  attachments: Attachment[];
  /** When it arrived. */
  createdAt: Timestamp;
  attributes: Attribute[];
}

/** What has been decided about a ticket before this stage is asked. */
export interface SoFar {
  /** The category's id in the taxonomy. */
  category: string | null;
  /** The tags that stand now. */
  tags: string[];
  /** `incident`, `request`, `problem` or `change`. */
  kind: string;
  /** The impact, as an id of the desk's impact scale. */
  impact: string | null;
  /** The urgency, as an id of the desk's urgency scale. */
  urgency: string | null;
  /** The priority level's id. */
  priority: string | null;
  /** The team that has the ticket, when it is routed again. */
  team: string | null;
  /** The person who has the ticket, when it is routed again. */
  assignee: string | null;
  attributes: Attribute[];
}

/**
 * Asked when a submission arrives, before there is a ticket.
 *
 * All rules are asked. The changes of those that accept are applied in order, each rule seeing the submission as it
 * came; problems are merged, and any rejection rejects. If no rule can answer, the submission is accepted and marked.
 */
export namespace intake {
  /** A ticket of the same requester, newest first. */
  export interface RecentTicket {
    /** The short key, such as `IT-1042`. */
    key: string;
    requestType: string;
    subject: string;
    /** The state, such as `open` or `resolved`. */
    state: string;
    createdAt: Timestamp;
  }

  export interface Input {
    now: Moment;
    /** The submission: it has passed the form's own checks (known fields, types, options). */
    ticket: Ticket;
    requester: Person;
    /** Who submitted it: the requester's id, or that of somebody who acts for the requester. */
    submittedBy: string;
    /** What the channel knows about the message, such as the mail's headers in lower case. */
    headers: Attribute[];
    /** The requester's last five tickets of the last 72 hours; empty unless the manifest `wants` `recent-tickets`. */
    recent: RecentTicket[];
  }

  /** What to change in an accepted submission. `none` and empty lists change nothing. */
  export interface Changes {
    subject: string | null;
    body: string | null;
    /** Fields to set or to add; each must exist in the request type's form. */
    fields: Field[];
    /** Tags to add. */
    tags: string[];
    /** Signals to add for the stages after this one. */
    signals: string[];
    /** The short key of a ticket that this one seems to repeat; shown to agents. */
    duplicateOf: string | null;
  }

  /** Something that the requester has to mend before the submission can be accepted. */
  export interface Problem {
    /** The form field, or `subject` or `body`. */
    field: string;
    /** A stable word for programs, such as `required`. */
    code: string;
    /** A sentence for the requester: what is wrong and what to do. */
    message: string;
  }

  export type Decision =
    | { tag: "accept"; val: Changes }
    /** At least one problem. */
    | { tag: "reject"; val: Problem[] };

  export interface Answer {
    decision: Decision;
    /** One sentence for people: why. */
    reason: string;
    attributes: Attribute[];
  }
}

/**
 * Asked when a submission has been accepted.
 *
 * The first category wins; tags of all rules are united. If no rule answers, the request type's default category stands.
 */
export namespace categorization {
  export interface Input {
    now: Moment;
    ticket: Ticket;
    requester: Person;
    soFar: SoFar;
  }

  export interface Classification {
    /** A category's id in the taxonomy; `none` adds tags only. */
    category: string | null;
    /** Tags to add, each in the taxonomy. */
    tags: string[];
    /** `incident`, `request`, `problem` or `change`, where the request type's own kind is not right. */
    kind: string | null;
  }

  export type Decision =
    /** No opinion. */
    | { tag: "pass" }
    | { tag: "classify"; val: Classification };

  export interface Answer {
    decision: Decision;
    /** One sentence for people: why. */
    reason: string;
    attributes: Attribute[];
  }
}

/**
 * Asked when the category is known.
 *
 * The highest level proposed wins, unless a rule whose manifest says `override` proposes one: then that one, the first
 * of several. If no rule answers, the desk's default level stands.
 */
export namespace priority {
  export interface Input {
    now: Moment;
    ticket: Ticket;
    requester: Person;
    soFar: SoFar;
  }

  export interface Rating {
    /** How much of the organisation is affected; an id of the desk's impact scale. */
    impact: string | null;
    /** How soon it matters; an id of the desk's urgency scale. */
    urgency: string | null;
    /** The priority level's id. */
    level: string;
  }

  export type Decision =
    /** No opinion. */
    | { tag: "pass" }
    | { tag: "rate"; val: Rating };

  export interface Answer {
    decision: Decision;
    /** One sentence for people: why. */
    reason: string;
    attributes: Attribute[];
  }
}

/**
 * Asked when the priority is known, and again when a ticket changes hands.
 *
 * The first answer wins. If no rule answers, the category's own team or the desk's default team takes the ticket.
 * A rule says what is needed; which member gets it is settled by the desk when the ticket is stored, where the true
 * load of each is known.
 */
export namespace routing {
  export interface Input {
    now: Moment;
    ticket: Ticket;
    requester: Person;
    soFar: SoFar;
  }

  export interface Destination {
    /** The team's id; `none` lets the desk find a team whose members have the skills. */
    team: string | null;
    /** The id of the one person who should have it. */
    assignee: string | null;
    /** What the person who gets it must be able to do; members without these skills are passed over. */
    skills: string[];
    /** `round-robin` or `least-loaded`; `none` uses the team's own. */
    strategy: string | null;
    /** The escalation tier: 1 is the first line. */
    tier: number | null;
  }

  export type Decision =
    /** No opinion. */
    | { tag: "pass" }
    | { tag: "assign"; val: Destination };

  export interface Answer {
    decision: Decision;
    /** One sentence for people: why. */
    reason: string;
    attributes: Attribute[];
  }
}

/**
 * Asked when somebody requests access, and again before a grant is extended.
 *
 * A denial overrides; otherwise the required approvals of all rules are united. The request is approved by itself only
 * when at least one rule approves and none asks for a person. The narrowest scope proposed is granted. If a rule fails, or
 * none answers, a person decides.
 */
export namespace access {
  /** What is asked for. */
  export interface Request {
    /** `new`, or `extend` for more time on a grant that is held. */
    kind: string;
    /** The app's id in the catalog. */
    app: string;
    /** The licence tier's id. */
    tier: string;
    role: string | null;
    /** Groups asked for beyond those that the tier gives. */
    groups: string[];
    /** For how long; `none` asks for the longest that the catalog allows. */
    durationHours: number | null;
    justification: string;
  }

  /** What the catalog says about the requested tier. */
  export interface CatalogItem {
    app: string;
    /** The app's name as people read it. */
    name: string;
    tier: string;
    /** The risk class, such as `low` or `high`. */
    risk: string;
    /** The longest grant, in hours. */
    maxDurationHours: number;
    /** The id of the person who answers for the app. */
    owner: string | null;
    /** The groups that the tier gives. */
    groups: string[];
    /** Licences not yet handed out; `none` where they are not counted. */
    seatsLeft: number | null;
    attributes: Attribute[];
  }

  /** Access that the subject holds, or has held in the last year. */
  export interface Grant {
    app: string;
    tier: string;
    role: string | null;
    groups: string[];
    grantedAt: Timestamp;
    expiresAt: Timestamp;
    /** `active` or `ended`. */
    state: string;
  }

  /** The subject's requests in the last 365 days, this one not counted. */
  export interface History {
    requested: number;
    approved: number;
    denied: number;
    revoked: number;
  }

  /** How common this access is among the subject's peers. */
  export interface Peers {
    /** People in the subject's department, the subject not counted. */
    departmentSize: number;
    /** Those of them who hold the same tier or a higher one. */
    departmentHolders: number;
  }

  export interface Input {
    now: Moment;
    ticket: Ticket;
    requester: Person;
    soFar: SoFar;
    request: Request;
    item: CatalogItem;
    /** Who is to have the access: the requester, or somebody the requester asks for. */
    subject: Person;
    grants: Grant[];
    history: History;
    peers: Peers;
  }

  /** What is granted, or is granted once people approve. Never more than the catalog allows. */
  export interface Scope {
    tier: string;
    role: string | null;
    groups: string[];
    durationHours: number;
  }

  /** One step of approval. */
  export interface ApprovalStep {
    /** Who may approve: ids of people, or `group:NAME` for the members of a group. */
    approvers: string[];
    /** How many of them have to; at least 1. */
    needed: number;
    /** By when, in hours from now; after that the request is denied. */
    dueInHours: number;
  }

  export interface ApprovalPlan {
    /** The steps, one after the other. */
    steps: ApprovalStep[];
    scope: Scope;
  }

  export type Decision =
    /** No opinion. */
    | { tag: "pass" }
    | { tag: "approve"; val: Scope }
    | { tag: "require-approval"; val: ApprovalPlan }
    | { tag: "deny" };

  export interface Answer {
    decision: Decision;
    /** One sentence for people: why. */
    reason: string;
    attributes: Attribute[];
  }
}
