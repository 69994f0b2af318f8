//! `devices`: how each device stands, who goes dark first.
//!
//! Called by the dispatch of commands. It reads the rows of devices since their last success and leaves all meaning to
//! [`fleet`](crate::domain::fleet). A filter that does not apply to devices is rejected, never ignored.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::Config;
use crate::config::cli::devices::{DeviceGroup, DeviceOrder, Devices};
use crate::domain::device::State;
use crate::domain::device::policy::Phase;
use crate::domain::event::Id;
use crate::domain::filter::criteria::{Check, NameMatch, Pattern};
use crate::domain::filter::{Criteria, Filter, Key};
use crate::domain::fleet::{Bucket, Fleet, LearnedPolicy, Member, Order, Selection, Sort};
use crate::domain::format;
use crate::domain::instant::Instant;
use crate::domain::source::Part;
use crate::domain::text::Text;
use crate::headless::commands::list::criteria;
use crate::headless::failure::{Exit, Failure};
use crate::headless::output::sink::{stdout, stdout_failed};
use crate::headless::output::{Cell, Column, Format, RowWriter, device};
use crate::headless::session::{Interrupt, Session, unexpected};
use crate::headless::{tell, values};
use crate::protocol::fleet::{self, FleetQuery};
use crate::protocol::query::{FacetQuery, Facets, Field};
use crate::protocol::{Answer, Query, SourceError};

/// Devices of one query.
const BATCH: u32 = 2000;
/// Named devices beyond which the whole fleet is read.
const FEW: usize = 100;

/// Prints the selected devices, or how many there are in each group. The condition compares the number of all selected
/// devices, however many are printed.
pub async fn devices(
    config: &Config,
    format: Format,
    options: &Devices,
    interrupt: &Interrupt,
) -> Result<Exit, Failure> {
    require_of_devices(&config.filter.value)?;
    let session = Session::open(config, interrupt).await?;
    values::require(&session, config).await?;
    let criteria = criteria(config);
    require_parts(&session, &criteria, options.by).await?;
    let (selection, _) = Selection::of(&criteria);
    let known = Known::read(&session, config, &criteria).await?;
    let order = Order { by: sort(options.sort), inverse: options.reverse };
    let selected = known.fleet.ordered(&selection, order, known.now);
    let exact = match options.by {
        Some(by) => {
            known.print_groups(config, format, by, &selected)?;
            true
        }
        None => known.print(config, format, &selected)?,
    };
    let number = selected.len() as u64;
    values::tell_unknown(&session, config, number).await;
    if options.exact && !(exact && known.is_whole && !session.hides_rows()) {
        return Err(Failure::Failed("not every number is exact, and --exact is set".to_owned()));
    }
    match options.fail_if {
        Some(condition) if condition.holds(number) => Ok(Exit::Condition),
        Some(_) if session.hides_rows() => Err(Failure::Failed(
            "cannot decide --fail-if: row security may hide events from this role; use a role with BYPASSRLS"
                .to_owned(),
        )),
        _ => Ok(Exit::Done),
    }
}

/// The order that an option names.
const fn sort(order: DeviceOrder) -> Sort {
    match order {
        DeviceOrder::Runway => Sort::Runway,
        DeviceOrder::Dark => Sort::Dark,
        DeviceOrder::Tries => Sort::Tries,
        DeviceOrder::Fails => Sort::Fails,
        DeviceOrder::LastSuccess => Sort::LastSuccess,
        DeviceOrder::Org => Sort::Org,
        DeviceOrder::Device => Sort::Device,
    }
}

/// Rejects terms that are of events.
fn require_of_devices(filter: &Filter) -> Result<(), Failure> {
    let of_devices = |key: Option<Key>| matches!(key, Some(Key::Org | Key::Device | Key::State | Key::Left));
    let Some(term) = filter.terms().iter().find(|term| !of_devices(term.key())) else { return Ok(()) };
    let meant = match term.key() {
        Some(Key::Expires) => "the time left to a device is 'left:<7d'",
        Some(Key::Type | Key::Error) => "devices whose last attempt came to nothing are 'state:failing'",
        Some(Key::Since | Key::Until | Key::Time) => "devices are printed as they stand now, by all their events",
        _ => "'devices' takes org, device, state and left",
    };
    Err(Failure::Usage(format!("filter: '{term}' is of events and does not apply to devices; {meant}")))
}

/// Rejects terms that are of devices, for commands that select events.
pub fn refuse_terms_of_devices(filter: &Filter) -> Result<(), Failure> {
    let of_devices = |key: Option<Key>| matches!(key, Some(Key::State | Key::Left));
    let Some(term) = filter.terms().iter().find(|term| of_devices(term.key())) else { return Ok(()) };
    Err(Failure::Usage(format!("filter: '{term}' is of devices and not of events; use it with 'devices'")))
}

/// Rejects what needs an organization where the source records none: no device would be selected.
async fn require_parts(session: &Session, criteria: &Criteria, by: Option<DeviceGroup>) -> Result<(), Failure> {
    let Answer::Described(source) = session.run(Query::Describe).await? else { return Ok(()) };
    let needs_org = by == Some(DeviceGroup::Org) || criteria.all.iter().any(|c| matches!(c.check, Check::Org(_)));
    if needs_org && source.traits.lacks(Part::Org) {
        let why = format!("the source '{}' records no {}", source.profile, Part::Org.words());
        return Err(SourceError::Unfit(why).into());
    }
    if source.traits.lacks(Part::OldExpiry) && source.traits.lacks(Part::NewExpiry) {
        tell(&format!("the source '{}' records no expiry: no runway, phase or silence is known", source.profile));
    }
    Ok(())
}

/// The devices that were read.
struct Known {
    /// With what they teach.
    fleet: Fleet,
    /// The database's clock when the reading began: later rows may be included.
    now: Instant,
    /// Policies and back-offs rest on the whole fleet, or on what is declared.
    is_whole: bool,
}

impl Known {
    /// Reads the devices that the criteria name, if they are few, and else all.
    async fn read(session: &Session, config: &Config, criteria: &Criteria) -> Result<Self, Failure> {
        let mut fleet = Fleet::default();
        fleet.declare(config.rules.policy);
        fleet.set_patience(config.rules.patience);
        let mut now = None;
        let named = named(session, criteria).await?;
        let is_named = named.is_some();
        if let Some(ids) = named {
            now = Some(add(&mut fleet, session, FleetQuery::These(ids)).await?.0);
        }
        let mut after = None;
        let is_whole = loop {
            let next = match add(&mut fleet, session, FleetQuery::Sweep { after, limit: BATCH }).await {
                Ok((at, next)) => {
                    now = now.or(Some(at));
                    next
                }
                // A source without the index for many devices still answers for few.
                Err(SourceError::Unfit(_)) if is_named => break false,
                Err(e) => return Err(e.into()),
            };
            if next.is_none() {
                break true;
            }
            // Beside named devices, one batch of others tells how the fleet renews.
            if is_named {
                break false;
            }
            after = next;
        };
        fleet.learn();
        if !is_whole {
            let known = format::count(fleet.len() as u64);
            tell(&format!(
                "policies and gaps between tries are learned from a part of the fleet: devices read: {known}"
            ));
        }
        Ok(Self { fleet, now: now.unwrap_or(Instant::NEG_INFINITY), is_whole })
    }

    /// Prints one row a device. Returns whether all of them are exact.
    fn print(&self, config: &Config, format: Format, selected: &[Arc<Member>]) -> Result<bool, Failure> {
        let zone = &config.zone.value;
        let mut writer = RowWriter::new(stdout(), format, device::columns(format, zone), config.ascii);
        let limit = usize::try_from(config.limits.rows.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
        let mut exact = true;
        for member in selected.iter().take(limit) {
            let line = self.fleet.line(member, self.now);
            exact &= line.fails_exact();
            writer.row(&device::cells(format, zone, &line, self.now)).map_err(stdout_failed)?;
        }
        writer.finish().map_err(stdout_failed)?;
        if !exact {
            tell(
                "of some devices only the newest rows were read: where 'fails_exact' is false, there are more failures",
            );
        }
        Ok(exact)
    }

    /// Prints how many devices there are in each group: all groups in their order, organizations by name.
    fn print_groups(
        &self,
        config: &Config,
        format: Format,
        by: DeviceGroup,
        selected: &[Arc<Member>],
    ) -> Result<(), Failure> {
        let lines = selected.iter().map(|member| self.fleet.line(member, self.now));
        let words: Vec<&'static str> = match by {
            DeviceGroup::Org => return self.print_orgs(config, format, selected),
            DeviceGroup::Policy => return self.print_policies(config, format),
            DeviceGroup::Bucket => lines.map(|line| line.bucket.word()).collect(),
            DeviceGroup::Phase => lines.map(|line| line.phase.word()).collect(),
            DeviceGroup::State => lines.map(|line| line.state.word()).collect(),
        };
        let (key, all): (_, Vec<&str>) = match by {
            DeviceGroup::Phase => ("phase", Phase::ALL.map(Phase::word).into()),
            DeviceGroup::State => ("state", State::ALL.map(State::word).into()),
            _ => ("bucket", Bucket::ALL.map(Bucket::word).into()),
        };
        let columns = vec![Column::new(key), Column::new("devices"), Column::new("as_of")];
        let mut writer = RowWriter::new(stdout(), format, columns, config.ascii);
        for group in all {
            let devices = words.iter().filter(|word| **word == group).count() as u64;
            let cells = [Cell::text(Some(group)), Cell::Number(devices), Cell::Time(self.now)];
            writer.row(&cells).map_err(stdout_failed)?;
        }
        writer.finish().map(drop).map_err(stdout_failed)
    }

    /// Prints how many devices each organization has.
    fn print_orgs(&self, config: &Config, format: Format, selected: &[Arc<Member>]) -> Result<(), Failure> {
        let mut orgs: BTreeMap<(Option<&Text>, Option<&Id>), u64> = BTreeMap::new();
        for member in selected {
            *orgs.entry((member.org.as_ref(), member.org_id.as_ref())).or_default() += 1;
        }
        let columns = ["org_id", "org", "devices", "as_of"].map(Column::new).into();
        let mut writer = RowWriter::new(stdout(), format, columns, config.ascii);
        let limit = usize::try_from(config.limits.rows.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
        for ((name, id), devices) in orgs.into_iter().take(limit) {
            let id = id.map_or(Cell::Missing, Cell::Id);
            let name = Cell::text(name.map(Text::raw));
            writer.row(&[id, name, Cell::Number(devices), Cell::Time(self.now)]).map_err(stdout_failed)?;
        }
        writer.finish().map(drop).map_err(stdout_failed)
    }
}

impl Known {
    /// Prints when renewals begin, as it is learned from all devices that were read.
    fn print_policies(&self, config: &Config, format: Format) -> Result<(), Failure> {
        let keys = ["org_id", "org", "life", "renewals", "early", "median", "late"];
        let mut writer = RowWriter::new(stdout(), format, keys.map(Column::new).into(), config.ascii);
        for LearnedPolicy { org: (id, name), class, renewals, shares } in self.fleet.learned() {
            let percent = |share: f64| Cell::text(Some(format!("{:.1}%", share * 100.0)));
            let cells = [
                id.as_ref().map_or(Cell::Missing, Cell::Id),
                Cell::text(name.as_ref().map(Text::raw)),
                Cell::text(Some(class.words())),
                Cell::Number(renewals),
                percent(shares.early),
                percent(shares.median),
                percent(shares.late),
            ];
            writer.row(&cells).map_err(stdout_failed)?;
        }
        writer.finish().map_err(stdout_failed)?;
        if let Some(policy) = config.rules.policy {
            tell(&format!("the policy in force is the declared one: {policy}"));
        }
        Ok(())
    }
}

/// Adds the devices of a query. Returns the database's clock, and the device behind which a sweep goes on.
async fn add(fleet: &mut Fleet, session: &Session, query: FleetQuery) -> Result<(Instant, Option<Id>), SourceError> {
    let fleet::Fleet { devices, next, now } = match session.run(Query::Fleet(query)).await? {
        Answer::Fleet(read) => read,
        other => return Err(unexpected(&other)),
    };
    for device in devices {
        if let Some(member) = Member::of(device.name, device.org, &device.rows, device.complete) {
            fleet.insert(member);
        }
    }
    Ok((now, next))
}

/// The ids of the devices that a filter allows, if it names few by id or whole name. `None`: it may select any.
async fn named(session: &Session, criteria: &Criteria) -> Result<Option<Vec<Id>>, SourceError> {
    let lists = criteria.all.iter().filter(|clause| !clause.negated).filter_map(|clause| match &clause.check {
        Check::Device(any) if any.len() <= FEW => Some(any),
        _ => None,
    });
    let exact =
        |any: &&Vec<NameMatch>| any.iter().all(|m| matches!(m, NameMatch::Uuid(_) | NameMatch::Name(Pattern::Is(_))));
    let Some(any) = lists.into_iter().find(exact) else { return Ok(None) };
    let mut ids = Vec::new();
    for one in any {
        match one {
            NameMatch::Uuid(id) => ids.push(Id::Uuid(*id)),
            NameMatch::Name(Pattern::Is(name)) => match ids_of(session, name).await? {
                // A name that no directory has is looked for among all devices.
                Some(found) if !found.is_empty() => ids.extend(found),
                _ => return Ok(None),
            },
            _ => return Ok(None),
        }
    }
    Ok(Some(ids).filter(|ids| ids.len() <= FEW))
}

/// The ids of the devices of that name, or with that id. `None` where too many names contain it.
async fn ids_of(session: &Session, name: &str) -> Result<Option<Vec<Id>>, SourceError> {
    let query = FacetQuery {
        field: Field::Device,
        criteria: Criteria::default(),
        needle: name.to_owned(),
        limit: BATCH,
        ceiling: 1,
    };
    let Answer::Facets(Facets { values, more, .. }) = session.run(Query::Facets(query)).await? else {
        return Ok(None);
    };
    if more {
        return Ok(None);
    }
    let is_it = |id: &Id, label: Option<&Text>| label.is_some_and(|text| text.raw() == name) || id.raw() == name;
    Ok(Some(values.into_iter().filter_map(|v| v.id.filter(|id| is_it(id, v.name.as_ref()))).collect()))
}
