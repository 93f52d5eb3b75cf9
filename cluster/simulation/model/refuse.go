package model

import (
	"strings"
	"syscall"
)

// Refuse is why a user of a node may not write to a path, or nil. grows says
// that something is made or gets larger there. Users other than root are
// looked at only where a fault is about them.
func (w *World) Refuse(name, user, file string, grows bool) error {
	n := w.node(name)
	if n == nil || !strings.HasPrefix(file+"/", dataMount+"/") {
		return nil
	}
	switch {
	case n.data.readOnly:
		return syscall.EROFS
	case grows && n.data.free() == 0:
		return syscall.ENOSPC
	case n.etcdLocked && user == etcdUser && strings.HasPrefix(file+"/", etcdData+"/"):
		return syscall.EACCES
	}
	return nil
}

// etcdUser is the user as which etcd and Elasticsearch run.
const etcdUser = "chef-backend"
