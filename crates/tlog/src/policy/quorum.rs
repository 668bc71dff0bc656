/// Which witnesses are enough. A member is a witness or a group above it; each is a member once at most, so that a witness
/// counts in one way only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Quorum {
    pub(super) nodes: Vec<Node>,
    /// The node that must be met; without one, no witness is asked for.
    pub(super) top: Option<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// The witness of this number.
    Witness(usize),
    /// At least `threshold` of the members, which are nodes before this one.
    Group { threshold: usize, members: Vec<usize> },
}

impl Quorum {
    pub(super) fn asks_for_any(&self) -> bool {
        self.top.is_some()
    }

    pub(super) fn is_met(&self, cosigned: &dyn Fn(usize) -> bool) -> bool {
        // Members stand before their groups, so one pass settles every node.
        let mut met: Vec<bool> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let now = match node {
                Node::Witness(idx) => cosigned(*idx),
                Node::Group { threshold, members } => {
                    members.iter().filter(|m| met.get(**m) == Some(&true)).count() >= *threshold
                }
            };
            met.push(now);
        }
        self.top.is_none_or(|top| met.get(top) == Some(&true))
    }
}
