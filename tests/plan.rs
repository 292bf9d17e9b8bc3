//! Plans of random work: order, room, barriers.

use chiasm::plan::{Life, Plan, Room, Work, life, order, plan};
use chiasm::random::Stream;
use smallvec::{SmallVec, smallvec};

/// Random numbers in a row.
struct Dice(Stream, u32);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.1 += 1;
        self.0.below(n as u32, 0, self.1) as usize
    }
}

/// Work that writes a room each, reads some earlier ones, and now and then adds to one.
fn example(seed: u64) -> (Vec<Room>, Vec<Work>) {
    let mut dice = Dice(Stream::new(seed, "plan", "test"), 0);
    let given = 1 + dice.below(4);
    let mut rooms: Vec<Room> = (0..given).map(|_| Room::new(1 + dice.below(300), Life::Given)).collect();
    let mut work = Vec::new();
    for _ in 0..40 {
        let mut reads: SmallVec<[usize; 4]> = (0..dice.below(4)).map(|_| dice.below(rooms.len())).collect();
        if dice.below(5) == 0 {
            let again = given + dice.below(rooms.len() - given + 1);
            if again < rooms.len() {
                reads.push(again);
                work.push(Work { reads, writes: smallvec![again], ..Work::default() });
                continue;
            }
        }
        let life = [Life::Between, Life::Between, Life::Between, Life::Kept, Life::Outside][dice.below(5)];
        let words = if let (0, Some(read)) = (dice.below(2), reads.first()) {
            rooms[*read].words
        } else {
            1 + dice.below(300)
        };
        rooms.push(Room::new(words, life));
        let over = reads.iter().map(|read| (*read, rooms.len() - 1)).collect();
        work.push(Work { reads, writes: smallvec![rooms.len() - 1], over, scratch: dice.below(3) * 50 });
    }
    (rooms, work)
}

/// Runs a plan with words that know their owner, and sees that no owner is disturbed.
fn check(rooms: &[Room], work: &[Work], plan: &Plan) {
    let mut arena: Vec<usize> = vec![usize::MAX; plan.words];
    let mut outside: Vec<usize> = vec![usize::MAX; rooms.len()];
    let mut version = vec![0; rooms.len()];
    let mark = |room: usize, version: usize| room * 1000 + version;
    for (i, room) in rooms.iter().enumerate().filter(|(_, room)| room.life == Life::Given) {
        arena[plan.rooms[i]..plan.rooms[i] + room.words].fill(mark(i, 0));
    }
    // The same work in the given order says which version every work must find.
    let mut expected: Vec<Vec<usize>> = Vec::new();
    let mut count = vec![0; rooms.len()];
    for one in work {
        expected.push(one.reads.iter().map(|room| count[*room]).collect());
        one.writes.iter().for_each(|room| count[*room] += 1);
    }
    for at in &plan.order {
        let one = &work[*at];
        for (room, seen) in one.reads.iter().zip(&expected[*at]) {
            let written = *seen > 0 || rooms[*room].life == Life::Given;
            let found = match rooms[*room].life {
                Life::Outside => vec![outside[*room]],
                _ => arena[plan.rooms[*room]..plan.rooms[*room] + rooms[*room].words].to_vec(),
            };
            assert!(
                !written || found.iter().all(|word| *word == mark(*room, *seen)),
                "room {room} was disturbed"
            );
        }
        arena[plan.scratch[*at]..plan.scratch[*at] + one.scratch].fill(usize::MAX - 1);
        for room in &one.writes {
            version[*room] += 1;
            let mark = mark(*room, version[*room]);
            match rooms[*room].life {
                Life::Outside => outside[*room] = mark,
                _ => arena[plan.rooms[*room]..plan.rooms[*room] + rooms[*room].words].fill(mark),
            }
        }
    }
    for (i, room) in rooms.iter().enumerate().filter(|(i, room)| room.life == Life::Kept && count[*i] > 0) {
        assert!(
            arena[plan.rooms[i]..plan.rooms[i] + room.words].iter().all(|word| *word == mark(i, count[i]))
        );
    }
}

#[test]
fn no_live_value_is_disturbed() {
    for seed in 0..300 {
        let (rooms, work) = example(seed);
        let plan = plan(&rooms, &work);
        check(&rooms, &work, &plan);
        let mut sorted = plan.order.clone();
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(0..work.len()));
    }
}

#[test]
fn spans_that_meet_share_no_word_and_the_arena_ends_with_the_last() {
    for seed in 0..100 {
        let (rooms, work) = example(seed);
        let order = order::order(&rooms, &work);
        let lives = life::lives(&rooms, &work, &order);
        let placed = chiasm::plan::arena::place(&lives.spans);
        for (i, a) in lives.spans.iter().enumerate() {
            for (j, b) in lives.spans.iter().enumerate().filter(|(j, b)| i < *j && a.meets(b)) {
                let (start, other) = (placed.starts[i], placed.starts[j]);
                assert!(start + a.words <= other || other + b.words <= start, "spans {i} and {j} overlap");
            }
        }
        let end = lives.spans.iter().zip(&placed.starts).map(|(span, start)| start + span.words).max();
        assert_eq!(end.unwrap_or(0), placed.words);
    }
}

#[test]
fn launches_without_a_barrier_between_them_do_not_meet() {
    for seed in 0..100 {
        let (rooms, work) = example(seed);
        let plan = plan(&rooms, &work);
        let mut open: Vec<usize> = Vec::new();
        for (at, barrier) in plan.order.iter().zip(&plan.barriers) {
            if *barrier {
                open.clear();
            }
            for other in &open {
                let (a, b) = (&work[*at], &work[*other]);
                assert!(a.writes.iter().all(|room| !b.touches().any(|touched| touched == *room)));
                assert!(b.writes.iter().all(|room| !a.touches().any(|touched| touched == *room)));
            }
            open.push(*at);
        }
    }
}

#[test]
fn the_greedy_order_frees_before_it_grows() {
    // Two chains of large values that end in small ones: one after the other needs one large value at a time.
    let rooms: Vec<Room> = [1, 1, 1000, 1000, 1, 1].map(|words| Room::new(words, Life::Between)).into();
    let mut rooms = rooms;
    (rooms[4].life, rooms[5].life) = (Life::Kept, Life::Kept);
    let step = |read: usize, write: usize| Work {
        reads: smallvec![read],
        writes: smallvec![write],
        ..Work::default()
    };
    let start = |write: usize| Work { writes: smallvec![write], ..Work::default() };
    let work = [start(0), start(1), step(0, 2), step(1, 3), step(2, 4), step(3, 5)];
    let order = order::order(&rooms, &work);
    assert!(order::peak(&rooms, &work, &order) < 1100);
}
