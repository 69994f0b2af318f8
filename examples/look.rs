#![allow(clippy::unwrap_used)]
use renewscope::app::Settings;
use renewscope::domain::event::*;
use renewscope::domain::instant::*;
use renewscope::domain::zone::Zone;
use renewscope::store::*;
fn main() {
    let rt = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    rt.block_on(async {
        let url = std::env::args().nth(1).unwrap();
        let n: i64 = std::env::args().nth(2).map_or(0, |s| s.parse().unwrap());
        let address = Address::parse(&url).unwrap();
        if n > 0 {
            let store =
                Store::connect(&address, &ConnectOptions { access: Access::Write, create: true, ..Default::default() })
                    .await
                    .unwrap();
            let now = renewscope::runtime::clock::now();
            let mut rows = Vec::new();
            for i in 0..n {
                let kind = ["renewal_start", "renewal_success", "renewal_start", "renewal_failed"][(i % 4) as usize];
                rows.push(NewEvent {
                    id: None,
                    device: Party { id: None, name: Some(format!("edge-{:04}", i * 7 % 2000)) },
                    org: Party {
                        id: None,
                        name: Some(["acme", "globex", "initech", "lab"][(i % 7 % 4) as usize].into()),
                    },
                    kind: kind.into(),
                    reason: None,
                    old_expiry: Some(now.plus(Span::hours(i % 900))),
                    new_expiry: None,
                    error: (i % 4 == 3).then(|| format!("x509: certificate {i} signed by unknown authority")),
                    created_at: now.minus(Span::seconds((n - i) * 7)),
                });
                if rows.len() == 1000 {
                    store.create_many(&rows).await.unwrap();
                    rows.clear();
                }
            }
            store.create_many(&rows).await.unwrap();
            return;
        }
        let store = Store::connect(&address, &ConnectOptions::default()).await.unwrap();
        let settings = Settings {
            title: address.to_string(),
            reach: format!("--db {address}"),
            filter: Default::default(),
            zone: Zone::Utc,
            other_zone: Zone::parse("Europe/Berlin").unwrap(),
            keymap: Default::default(),
            columns: Default::default(),
            size: (0, 0),
        };
        let end =
            renewscope::runtime::console::run(store, settings, renewscope::ui::skin::Skin::new(true, false, false))
                .await;
        eprintln!("{end:?}");
    });
    std::process::exit(0)
}
