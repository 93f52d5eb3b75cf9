package logs

import (
	"slices"
	"strconv"
	"strings"
)

// settle takes the folder of PostgreSQL's log: root/X.Y of the newest version
// that has a current. A newer version is another log. An older one, left from
// before an upgrade, is not that while the folder that is followed holds any log
// file: svlogd may be between a rename and the next open, for long on a disk
// without inodes, and its rotated files are still to be read.
func (g *log) settle(files []file, root string, list *listing) {
	empty := g.folder == ""
	if !empty && g.missing >= missingPolls {
		empty = list.sound && len(list.files) == 0
		g.list = g.list || !list.sound
	}
	if !empty {
		files = append(slices.Clip(files), file{name: g.folder + "/current"})
	}
	folder := newestVersion(files, root)
	if folder == "" || folder == g.folder {
		return
	}
	if g.folder != "" {
		if empty {
			g.cursor.listed(nil, g) // what was not read is gone
		}
		g.stream.flush()
		g.cursor = cursor{}
	}
	g.folder, list.sound = folder, false
}

// newestVersion is the folder of the highest X.Y among root/X.Y/current.
func newestVersion(files []file, root string) (folder string) {
	best := -1
	for _, x := range files {
		inside, ok := strings.CutPrefix(x.name, root)
		version, current := strings.CutSuffix(inside, "/current")
		major, minor, _ := strings.Cut(version, ".")
		m, err1 := strconv.Atoi(major)
		n, err2 := strconv.Atoi("0" + minor)
		if !ok || !current || err1 != nil || err2 != nil || m > 1e6 || n > 1e6 {
			continue
		}
		if rank := m*1e6 + n; rank > best {
			best, folder = rank, root+version
		}
	}
	return folder
}
