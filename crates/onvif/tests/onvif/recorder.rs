//! Real ONVIF clients as recorders of our device.

use serde_json::{Value, json};

use crate::peers::{self, Peer};
use crate::stage::{self, PASSWORD, PICTURE, Served, USER};

/// What a recorder of that kind makes of the device.
async fn recorder(kind: &str, served: &Served, more: Value) -> Option<Value> {
    let peer = if kind == "async" { Peer::Async } else { Peer::Zeep };
    let (place, wsdl) = (peers::installed(peer)?, peers::schemas()?);
    let mut asked = json!({
        "kind": kind, "host": served.at.ip().to_string(), "port": served.at.port(), "wsdl": wsdl,
        "user": USER, "password": PASSWORD,
    });
    for (key, value) in more.as_object().unwrap() {
        asked[key] = value.clone();
    }
    let program = peers::python("recorder.py", &place);
    Some(tokio::task::spawn_blocking(move || peers::ask(program, &asked)).await.unwrap())
}

fn expected(served: &Served, snapshots: bool) -> Value {
    let base = format!("http://{}", served.at);
    let row = |id: &str, name: &str, width: u32, height: u32, snapshot: bool| {
        json!({
            "token": format!("profile-{id}"), "name": name, "encoding": "H264", "width": width, "height": height,
            "fps": 15, "source": format!("source-{id}"), "stream": format!("rtsp://127.0.0.1:8554/{id}?a=1&b=2"),
            "snapshot": (snapshot && snapshots).then(|| format!("{base}/pictures/{id}.jpg")),
        })
    };
    json!([
        row("hall-north", "Halle Nord \u{2013} <1> & \"2\"", 1280, 720, true),
        row("gate", "Gate", 1920, 1080, true),
        row("yard_2", "]]></tt:Name>", 640, 272, false),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn onvif_zeep_adds_every_camera_and_sets_nothing() {
    let served = stage::served(placet_onvif::device::system_clock()).await;
    let Some(answer) = recorder("zeep", &served, json!({})).await else { return };
    assert_eq!(answer["cameras"], expected(&served, true), "{answer}");
    assert_eq!(answer["calls"].as_array().unwrap().len(), 10);
    assert_eq!(answer["manufacturer"], "Placet");
    let refused = answer["refused"].as_array().unwrap();
    assert_eq!(refused.len(), 5, "{answer}");
    for row in refused {
        assert!(row[1].as_str().unwrap().contains("nothing in it is set from outside"), "{row}");
    }
    println!(
        "onvif-zeep: 3 cameras, 10 other calls answered, 5 of 5 changes refused; refused: {:?}",
        served.device.refused()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn onvif_zeep_async_adds_every_camera_and_fetches_a_picture() {
    let served = stage::served(placet_onvif::device::system_clock()).await;
    let Some(answer) = recorder("async", &served, json!({})).await else { return };
    assert_eq!(answer["cameras"], expected(&served, true), "{answer}");
    assert_eq!(answer["picture"], PICTURE);
    println!("onvif-zeep-async: refused {:?}", served.device.refused());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_speaks_http_digest_only_adds_every_camera() {
    let served = stage::served(placet_onvif::device::system_clock()).await;
    let Some(answer) = recorder("http-digest", &served, json!({})).await else { return };
    assert_eq!(answer["cameras"], expected(&served, false), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_adds_nothing() {
    let served = stage::served(placet_onvif::device::system_clock()).await;
    for kind in ["zeep", "async", "http-digest"] {
        for wrong in [json!({"password": "wrong"}), json!({"user": "admin"})] {
            let Some(answer) = recorder(kind, &served, wrong).await else { return };
            assert!(answer.get("cameras").is_none(), "{kind}: {answer}");
            println!("{kind}: {}", answer["error"]);
        }
    }
    let Some(clear) = recorder("zeep", &served, json!({"encrypt": false})).await else { return };
    assert!(clear["error"].as_str().unwrap().contains("in clear"), "{clear}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorder_with_a_wrong_clock_is_told_so_unless_it_asks_for_ours() {
    let clock = stage::Shifted::default();
    let served = stage::served(clock.clock()).await;
    for (shift, said) in [(3_600, "behind"), (-3_600, "ahead")] {
        clock.by(shift);
        let Some(answer) = recorder("zeep", &served, json!({"adjust": false})).await else { return };
        assert!(answer["error"].as_str().unwrap().contains(said), "{answer}");
        let Some(answer) = recorder("zeep", &served, json!({})).await else { return };
        assert_eq!(answer["cameras"], expected(&served, true), "{answer}");
    }
    println!("{:?}", served.device.refused());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transport_that_is_not_offered_is_refused_in_words() {
    let served = stage::served(placet_onvif::device::system_clock()).await;
    let Some(answer) = recorder("zeep", &served, json!({"protocol": "HTTP"})).await else { return };
    assert!(answer["error"].as_str().unwrap().contains("no tunnel through HTTP"), "{answer}");
    let Some(answer) = recorder("zeep", &served, json!({"protocol": "UDP"})).await else { return };
    assert_eq!(answer["cameras"], expected(&served, true));
}
