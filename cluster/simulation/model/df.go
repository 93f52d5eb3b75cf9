package model

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// df tells the free space of the file systems; the data lies on its own. With
// -i it counts files.
func df(p *Process) {
	inodes := false
	for _, a := range p.argv[1:] {
		inodes = inodes || strings.HasPrefix(a, "-") && strings.Contains(a, "i")
	}
	var rows []string
	for _, name := range paths(p.argv) {
		file := path.Clean(name)
		onData := file == dataMount || strings.HasPrefix(file, dataMount+"/")
		switch {
		case file != "/" && !p.n.files.Exists(file):
			p.errorf("df: %s: No such file or directory\n", name)
			p.exit = 1
		case inodes && onData:
			rows = append(rows, fmt.Sprintf("/dev/vdb1      9830400 41822 9788578    1%% %s", dataMount))
		case inodes:
			rows = append(rows, "/dev/vda1      2621440 98123 2523317    4% /")
		case onData:
			rows = append(rows, p.n.data.df())
		default:
			rows = append(rows, fmt.Sprintf("/dev/vda1      %11d %9d %9d %7d%% /", 40<<20, 9<<20, 31<<20, 23))
		}
	}
	if len(rows) > 0 && inodes {
		p.printf("Filesystem      Inodes IUsed   IFree IUse%% Mounted on\n")
	} else if len(rows) > 0 {
		p.printf("Filesystem     1024-blocks      Used Available Capacity Mounted on\n")
	}
	for _, row := range rows {
		p.printf("%s\n", row)
	}
	p.end(p.exit)
}

// du tells the size of folders. The database is as large as it claims to be,
// everything else as large as its files.
func du(p *Process) {
	for _, name := range paths(p.argv) {
		file := path.Clean(name)
		if !p.n.files.Exists(file) {
			p.errorf("du: cannot access '%s': No such file or directory\n", name)
			p.exit = 1
			continue
		}
		p.printf("%d\t%s\n", p.n.blocks(file)>>10, name)
	}
	p.end(p.exit)
}

// blocks is the size of a folder or file in bytes, as du counts it.
func (n *node) blocks(file string) int64 {
	wal := int64(segment(n.pg.copy.end)-n.pg.copy.oldest+1) * segmentSize
	switch {
	case file == dataDir:
		return n.pg.dataBytes()
	case file == walDir:
		return wal
	case strings.HasPrefix(file, dataDir+"/"):
		return 4096
	}
	names, err := n.files.List(file)
	if err != nil || len(names) == 0 {
		data, err := n.files.Read(file)
		if err != nil {
			return 4096
		}
		return int64(len(data)+4095) &^ 4095
	}
	sum := int64(4096)
	for _, name := range names {
		sum += n.blocks(file + "/" + name)
	}
	return sum
}

// Busy are files below a folder that are being written now.
func (w *World) Busy(name, file string) []string {
	n := w.node(name)
	if n == nil {
		return nil
	}
	var busy []string
	if n.pg.phase > pgRefused {
		busy = append(busy, walDir+"/"+segmentName(n.pg.copy.tli, segment(n.pg.copy.end)))
	}
	if n.service("etcd").serving() {
		busy = append(busy, etcdWAL)
	}
	within := path.Clean(file) + "/"
	return slices.DeleteFunc(busy, func(f string) bool { return !strings.HasPrefix(f, within) })
}

// etcdWAL is what a member that runs writes into all the time.
const etcdWAL = "/var/opt/chef-backend/etcd/data/member/wal/0000000000000000-0000000000000000.wal"

// Weight is how many bytes a folder or file of a node would have on a disk:
// what is not the database's is as large as its files. A copy of it takes as
// long as that many bytes take.
func (w *World) Weight(name, file string) int64 {
	n := w.node(name)
	if n == nil || !n.files.Exists(file) {
		return 0
	}
	return w.asUsual(n.blocks(path.Clean(file)))
}
