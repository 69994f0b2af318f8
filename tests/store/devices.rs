//! The fleet that the console keeps: devices that were read again stand as after a new sweep, on both databases.

use std::sync::Arc;

use proptest::strategy::{Strategy, ValueTree};
use renewscope::domain::device::Device;
use renewscope::domain::device::policy::Phase;
use renewscope::domain::event::Id;
use renewscope::domain::filter::Criteria;
use renewscope::domain::fleet::{Fleet, Line, Member, Order, Selection};
use renewscope::domain::instant::{Instant, Span};
use renewscope::domain::text::Text;
use renewscope::protocol::fleet::{DeviceRows, FleetQuery};
use renewscope::protocol::{Answer, Query};

use super::bed::{Bed, at};
use super::investigations::{row, sweep};
use crate::on_both;

on_both!(devices_read_again_stand_as_after_a_sweep);

fn member(device: DeviceRows) -> Option<Member> {
    Member::of(device.name, device.org, &device.rows, device.complete)
}

fn fleet(devices: Vec<DeviceRows>) -> Fleet {
    let mut fleet = Fleet::default();
    devices.into_iter().filter_map(member).for_each(|one| fleet.insert(one));
    fleet.learn();
    fleet
}

/// All that is said of a device.
type Said = (Device, [Option<Text>; 2], Option<Arc<str>>, (Phase, Option<Instant>, u32, Option<u32>));

fn said(fleet: &Fleet, now: Instant) -> Vec<Said> {
    let lines = fleet.lines(&Selection::default(), Order::default(), now);
    let one = |Line { member, phase, next_try, fails, tries_left, .. }: Line| {
        let names = [member.name.clone(), member.org.clone()];
        (member.device.clone(), names, member.signature.clone(), (phase, next_try, fails, tries_left))
    };
    lines.into_iter().map(one).collect()
}

async fn devices_read_again_stand_as_after_a_sweep(bed: Bed) {
    let mut runner = super::investigations::runner();
    let rows = proptest::collection::vec(row(), 400).new_tree(&mut runner).unwrap().current();
    bed.fill(&rows[..200]).await;
    let mut kept = fleet(sweep(&bed.store, 3).await);
    assert!(kept.len() >= 8);
    // Rows of all times come, late ones too, and some are deleted.
    for (n, new) in rows[200..].chunks(50).enumerate() {
        bed.fill(new).await;
        let all = bed.all(&Criteria::default()).await;
        let deleted: Vec<_> = all.iter().skip(n).step_by(17).collect();
        for row in &deleted {
            assert!(bed.store.delete(None, &row.id).await.unwrap());
        }
        let ids: Vec<Id> = new.iter().filter_map(|row| row.id.map(Id::Uuid)).collect();
        let of_new = all.iter().filter(|row| ids.contains(&row.id));
        let touched: Vec<Id> = deleted.into_iter().chain(of_new).map(|row| row.device_id.clone()).collect();
        touched.iter().for_each(|id| kept.remove(id));
        let query = Query::Fleet(FleetQuery::These(touched));
        let Answer::Fleet(read) = bed.store.run(&query).await.unwrap() else { panic!("devices") };
        read.devices.into_iter().filter_map(member).for_each(|one| kept.insert(one));
        kept.learn();
        let swept = fleet(sweep(&bed.store, 2000).await);
        for later in [0, 50, 5000, 100_000] {
            let now = at(0).plus(Span::seconds(later));
            assert_eq!(said(&kept, now), said(&swept, now), "{later} s after the first row");
        }
    }
}
