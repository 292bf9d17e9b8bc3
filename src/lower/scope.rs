//! What a name can see: locals, parts of a module, definitions of a file or of the library.

use super::instance::Instance;
use super::object::{Object, Thunk};
use crate::shape::Size;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// A file with everything it extends, or the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpaceId(pub usize);

/// Nested surroundings, innermost first.
#[derive(Clone, Debug)]
pub struct Env<'p>(pub Rc<EnvNode<'p>>);

/// One layer and what lies around it.
#[derive(Debug)]
pub struct EnvNode<'p> {
    /// The names of this layer.
    pub layer: Layer<'p>,
    /// What lies around it.
    pub around: Option<Env<'p>>,
}

/// The kinds of surroundings.
#[derive(Debug)]
pub enum Layer<'p> {
    /// A file or the library.
    Space(SpaceId),
    /// Parts and static parameters of a module.
    Instance(Rc<Instance<'p>>),
    /// Only the capitals of a module: what a part given from outside by `with` sees of it.
    Capitals(Rc<Instance<'p>>),
    /// Parameters and local definitions of a call.
    Locals(Locals<'p>),
}

/// Names of one call.
#[derive(Debug, Default)]
pub struct Locals<'p> {
    /// Arguments, capitals, and local definitions as far as they were needed.
    pub known: RefCell<HashMap<String, Object<'p>>>,
    /// Sizes of capitals bound by the signature.
    pub capitals: RefCell<HashMap<String, Object<'p>>>,
    /// Local definitions not needed yet.
    pub later: RefCell<HashMap<String, (Thunk<'p>, bool)>>,
    /// The world the call was made in.
    pub world: Cell<usize>,
}

impl<'p> Env<'p> {
    /// The surroundings of a whole file.
    pub fn space(id: SpaceId) -> Self {
        Self(Rc::new(EnvNode { layer: Layer::Space(id), around: None }))
    }

    /// One more layer.
    #[must_use]
    pub fn with(&self, layer: Layer<'p>) -> Self {
        Self(Rc::new(EnvNode { layer, around: Some(self.clone()) }))
    }

    /// The layers, innermost first.
    pub fn layers(&self) -> impl Iterator<Item = &Env<'p>> {
        std::iter::successors(Some(self), |env| env.0.around.as_ref())
    }

    /// The file or library it lies in.
    pub fn space_id(&self) -> SpaceId {
        self.layers()
            .find_map(|env| if let Layer::Space(id) = env.0.layer { Some(id) } else { None })
            .unwrap_or(SpaceId(0))
    }

    /// The locals of the innermost layer.
    pub fn locals(&self) -> Option<&Locals<'p>> {
        if let Layer::Locals(locals) = &self.0.layer { Some(locals) } else { None }
    }
}

impl<'p> Locals<'p> {
    /// Binds a name.
    pub fn set(&self, name: &str, value: Object<'p>) {
        self.known.borrow_mut().insert(name.to_string(), value);
    }

    /// Binds a capital.
    pub fn set_capital(&self, name: &str, value: Object<'p>) {
        self.capitals.borrow_mut().insert(name.to_string(), value);
    }

    /// A size by its capital.
    pub fn size(&self, name: &str) -> Option<Size> {
        match self.capitals.borrow().get(name) {
            Some(Object::Whole(size)) => Some(size.clone()),
            _ => None,
        }
    }
}
