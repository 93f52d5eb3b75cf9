package model

import (
	"fmt"
	"sort"
)

// setStandby writes or removes recovery.conf.
func (g *postgres) setStandby(standby bool, upstream string) {
	g.standby, g.upstream = standby, upstream
	if !standby {
		g.n.remove(dataDir + "/recovery.conf")
		return
	}
	g.n.write(dataDir+"/recovery.conf", recoveryConf(upstream))
}

func recoveryConf(upstream string) string {
	text := "standby_mode = 'on'\nrecovery_target_timeline = 'latest'\n"
	if upstream != "" {
		text += fmt.Sprintf("primary_conninfo = 'host=%s port=5432 user=replicator sslmode=require application_name=chef_backend'\n", upstream)
	}
	return text
}

func (g *postgres) writeHistory() {
	g.n.write(fmt.Sprintf("%s/%08X.history", walDir, g.copy.tli), g.copy.historyFile())
}

// showFiles keeps pg_xlog on disk in step with the copy. Its segments are
// empty files: only their names matter.
func (g *postgres) showFiles() {
	spare := uint64(0)
	if !g.standby {
		spare = spareFiles
	}
	key := fmt.Sprint(g.copy.whole, g.copy.tli, g.copy.oldest, segment(g.copy.end), spare)
	if key == g.shownKey || !g.copy.whole {
		return
	}
	g.shownKey = key
	wanted := g.copy.files(spare)
	for _, name := range sortedKeys(g.shown) {
		if !wanted[name] {
			g.n.remove(walDir + "/" + name)
		}
	}
	for _, name := range sortedKeys(wanted) {
		if !g.shown[name] {
			g.n.write(walDir+"/"+name, "")
		}
	}
	g.shown = wanted
}

func sortedKeys(m map[string]bool) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
