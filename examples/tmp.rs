fn main() {
    let path = std::env::args().nth(1).unwrap();
    let t = std::time::Instant::now();
    match chiasm::compile(path.as_ref(), &chiasm::Options{given: true, values: std::env::args().skip(2).collect(), ..Default::default()}) {
        Err(e) => println!("{e}"),
        Ok(m) => {
            for s in &m.stages {
                let count = |v: &mut dyn Iterator<Item = &Vec<usize>>| v.map(|d| d.iter().product::<usize>()).sum::<usize>();
                println!("{} {} params {} trained {} twins {} states {} nodes {}", m.name, s.name,
                    count(&mut s.parameters.iter().map(|p| &p.dims)), count(&mut s.parameters.iter().filter(|p| p.trained).map(|p| &p.dims)),
                    count(&mut s.twins.iter().map(|p| &p.dims)),
                    s.states.iter().map(|p| p.shape.elements()).sum::<usize>(), s.graph.len());
            }
            for t in &m.tasks { println!("task {} {:?} {}", t.name, t.answer, t.graph.len()); }
        }
    }
    println!("{:?}", t.elapsed());
}
