package model

// esIndex is the one index of Elasticsearch, the search index of Chef. It can
// be rebuilt from PostgreSQL.
type esIndex struct {
	primaryLost bool  // a shard has no copy that can be opened
	replicaLost bool  // a shard lacks its second copy
	on          *node // where the copy lies that cannot be opened
	readOnly    bool  // index.blocks.read_only_allow_delete; stays until removed
}

// reassigned is a restart of the node whose copy could not be opened: the
// shard is tried again, and then it can.
func (x *esIndex) reassigned(n *node) {
	if x.on == n {
		x.primaryLost, x.replicaLost, x.on = false, false, nil
	}
}

// settings is the answer about the settings that block it; it is left out
// where there are none.
func (x *esIndex) settings() string {
	if !x.readOnly {
		return `{}`
	}
	return `{"chef":{"settings":{"index.blocks.read_only_allow_delete":"true"}}}`
}
