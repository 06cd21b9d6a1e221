//! The client against peers that redirect, stall, talk too much or talk nonsense.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// A peer on a loopback port that reads a request's head and answers each connection with these bytes; where it stalls, it keeps
/// the connection open afterwards.
async fn peer(answer: Vec<u8>, stalls: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 4096];
            let _ = stream.read(&mut head).await;
            let _ = stream.write_all(&answer).await;
            if stalls {
                open.push(stream);
            }
        }
    });
    format!("http://{address}/hook")
}

fn inside() -> Client {
    let hosts = ["127.0.0.1", "localhost"].map(str::to_owned);
    Client::new(&Settings { internal_hosts: InternalHosts::new(hosts), certificates: None })
}

/// Asks a peer that answers, or hangs up: no machine is so busy that this takes longer.
async fn ask(client: &Client, url: &str, answer: Keep) -> Result<Answer, Error> {
    ask_within(Duration::from_secs(60), client, url, answer).await
}

async fn ask_within(within: Duration, client: &Client, url: &str, answer: Keep) -> Result<Answer, Error> {
    let to = client.endpoint(url).unwrap();
    let request =
        Request { method: Method::POST, to: &to, headers: HeaderMap::new(), body: b"{}".to_vec(), within, answer };
    client.send(request).await
}

fn with_body(length: usize) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{}", "x".repeat(length)).into_bytes()
}

#[tokio::test]
async fn an_answer_is_read_up_to_its_bound() {
    let client = inside();
    let url = peer(with_body(100_000), false).await;
    assert_eq!(ask(&client, &url, Keep::Whole(100_000)).await.unwrap().body.len(), 100_000);
    assert_eq!(ask(&client, &url, Keep::Beginning(10)).await.unwrap().body, b"xxxxxxxxxx");
    let error = ask(&client, &url, Keep::Whole(99_999)).await.unwrap_err();
    assert_eq!(error, Error::TooLarge { host: "127.0.0.1".to_owned(), bytes_max: 99_999 });
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let elsewhere = peer(with_body(3), false).await;
    let url = peer(
        format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: {elsewhere}\r\ncontent-length: 0\r\n\r\n").into_bytes(),
        false,
    )
    .await;
    let answer = ask(&inside(), &url, Keep::Beginning(10)).await.unwrap();
    assert_eq!((answer.status, answer.header("location")), (StatusCode::TEMPORARY_REDIRECT, Some(elsewhere.as_str())));
}

#[tokio::test]
async fn a_peer_that_stalls_talks_nonsense_or_is_gone_is_an_error_in_time() {
    let client = inside();
    for beginning in ["", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"] {
        let url = peer(beginning.as_bytes().to_vec(), true).await;
        let half_a_second = Duration::from_millis(500);
        let error = ask_within(half_a_second, &client, &url, Keep::Whole(1_000)).await.unwrap_err();
        assert!(matches!(error, Error::TimedOut { .. }), "{beginning:?}: {error:?}");
    }
    for nonsense in ["220 mail.example ESMTP\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", ""] {
        let url = peer(nonsense.as_bytes().to_vec(), false).await;
        let error = ask(&client, &url, Keep::Whole(1_000)).await.unwrap_err();
        assert!(matches!(error, Error::Garbled { .. }), "{nonsense:?}: {error:?}");
        assert!(!error.was_not_sent());
    }
    let error = ask(&client, "http://127.0.0.1:1/", Keep::Whole(1_000)).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }) && error.was_not_sent(), "{error:?}");
}

#[tokio::test]
async fn no_request_reaches_an_address_inside() {
    let client = Client::new(&Settings::default());
    let port = peer(with_body(3), false).await.rsplit(':').next().unwrap().to_owned();
    // What is written as an address, in every notation that a URL takes for one.
    for host in ["127.0.0.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:7f00:1]", "169.254.169.254", "10.0.0.8"] {
        let refused = client.endpoint(&format!("https://{host}:{port}")).unwrap_err();
        assert!(matches!(refused, NotAnEndpoint::Inside(_)), "{host}: {refused:?}");
    }
    // And a name, when it is resolved.
    let error = ask(&client, &format!("https://localhost:{port}"), Keep::Whole(10)).await.unwrap_err();
    let words = error.to_string();
    assert!(matches!(error, Error::Inside(_)) && error.was_not_sent(), "{error:?}");
    assert!(words.contains("`[outgoing] internal-hosts`"), "{words}");
    assert_eq!(client.endpoint("http://hooks.example/x").unwrap_err(), NotAnEndpoint::NotHttps);
    assert_eq!(client.endpoint("ftp://hooks.example/x").unwrap_err(), NotAnEndpoint::NotHttps);
    assert_eq!(client.endpoint("https://me:secret@hooks.example/").unwrap_err(), NotAnEndpoint::Unfit);
}

#[test]
fn what_is_joined_stays_below_its_address() {
    let base = inside().endpoint("http://127.0.0.1:9/scim/v2?x=1").unwrap();
    assert_eq!(base.join("Users/a b").unwrap().as_str(), "http://127.0.0.1:9/scim/v2/Users/a%20b");
    assert_eq!(base.join("/Users").unwrap().as_str(), "http://127.0.0.1:9/scim/v2/Users");
    let found = base.join("Users").unwrap().with_query(&[("filter", "userName eq \"ä&b\"")]);
    assert_eq!(found.as_str(), "http://127.0.0.1:9/scim/v2/Users?filter=userName+eq+%22%C3%A4%26b%22");
    for elsewhere in ["../admin", "http://evil.example/", "Users/../../admin"] {
        assert_eq!(base.join(elsewhere).unwrap_err(), NotAnEndpoint::Elsewhere, "{elsewhere}");
    }
}

#[test]
fn a_wait_is_read_in_seconds_and_as_a_date() {
    let now: Timestamp = "2026-11-29T10:00:00Z".parse().unwrap();
    let wait = |text: &str| {
        let headers = HeaderMap::from_iter([(HeaderName::from_static("retry-after"), text.parse().unwrap())]);
        Answer { status: StatusCode::TOO_MANY_REQUESTS, headers, body: Vec::new() }.retry_after(now)
    };
    assert_eq!(wait("120"), Some(Duration::from_secs(120)));
    assert_eq!(wait("Sun, 29 Nov 2026 10:01:00 GMT"), Some(Duration::from_secs(60)));
    assert_eq!(wait("Sun, 29 Nov 2026 09:00:00 GMT"), Some(Duration::ZERO));
    assert_eq!(wait("99999999999"), Some(RETRY_AFTER_MAX));
    assert_eq!(wait("soon"), None);
}
