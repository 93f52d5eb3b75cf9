package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/goccy/go-yaml/ast"
)

// config is the configuration file. Every value has a default that fits a
// stock install; the file itself may be absent.
type config struct {
	Clusters  map[string]clusterConfig
	Catalogue string // folder of the site's own; "": that below the configuration folder
	Theme     string // colours of the screen, one of tui.Themes; "" for what fits
	paths     []namedPath
}

// clusterConfig is one cluster by name.
type clusterConfig struct {
	Stamp      string       // environment stamp: PROD
	Colour     string       // of the stamp: red, amber, green, blue, magenta, cyan
	Nodes      []nodeConfig // fixed order, one to three
	User       string       // SSH user; default as ssh(1)
	Port       int          // SSH port; default as ssh(1)
	Jump       string       // host to jump through
	Identity   []string     // private key files; default as ssh(1)
	KnownHosts []string     // files; default as ssh(1)
	Legacy     bool         // broken SSH algorithms are allowed, for old servers
}

// nodeConfig is one node; only host is needed.
type nodeConfig struct {
	Name    string // the cluster's name for it; default asked from the cluster
	Host    string // what to dial
	Address string // the cluster's address for it; default asked from the cluster
	Legacy  bool   // as of the cluster, for this node alone
}

// namedPath is a file or folder that the configuration names. Whether it is
// there is asked when it is needed: a key that is missing for one cluster stops
// nobody from watching another.
type namedPath struct {
	cluster string // "" for the whole file's
	key     string // identity, known-hosts, catalogue
	path    string // as it is written
	at      problem
}

// loadConfig reads the file of --config, else the default one, which may be absent.
func (e *env) loadConfig() (config, error) {
	path, must := e.configPath()
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && !must {
		return config{}, nil
	}
	if errors.Is(err, syscall.EISDIR) {
		return config{}, usage("configuration: %s is a folder: name a file in it with --config", path)
	}
	if err != nil {
		return config{}, usage("configuration: %v; name another with --config, or make one: config init HOST", err)
	}
	return parseConfig(path, text)
}

// configPath is where the configuration is, "" without a home; must: it was
// named by --config.
func (e *env) configPath() (path string, must bool) {
	if e.configFile != "" {
		return e.configFile, true
	}
	if dir := configDir(); dir != "" {
		return filepath.Join(dir, "config.yaml"), false
	}
	return "", false
}

// parseConfig reads a configuration strictly; its error is the first problem,
// on one line with file, line, column and remedy.
func parseConfig(path string, text []byte) (config, error) {
	c, problems := readConfig(path, text)
	return c, firstOf(problems)
}

// firstOf makes the first problem an error; nil without one.
func firstOf(problems []problem) error {
	switch len(problems) {
	case 0:
		return nil
	case 1:
		return usage("%w", problems[0])
	}
	return usage("%w (and %d more: config check lists them)", problems[0], len(problems)-1)
}

// readConfig reads a configuration and tells everything that is wrong in it, in
// the order of the file.
func readConfig(path string, text []byte) (config, []problem) {
	c := config{Clusters: map[string]clusterConfig{}}
	r := &configReader{yamlReader: yamlReader{file: path}, config: &c}
	if tree := r.parse(text); tree != nil {
		r.mapping(tree, "the configuration", []field{
			{"clusters", r.clusters},
			{"catalogue", func(n ast.Node) { c.Catalogue = r.path(n, "", "catalogue") }},
			{"theme", func(n ast.Node) { c.Theme = r.checked(n, "theme", checkTheme) }},
		})
	}
	return c, r.sorted()
}

// missing are the files and folders of a cluster, and of the whole file, that
// are not there.
func (c config) missing(cluster string) []problem {
	var missing []problem
	for _, p := range c.paths {
		if p.cluster != cluster {
			continue
		}
		if text := p.amiss(); text != "" {
			at := p.at
			at.text = text
			missing = append(missing, at)
		}
	}
	return missing
}

// amiss says what is wrong with the file; "" for nothing. A path with tokens of
// ssh_config(5) is only known when a host is dialled, and a key that the agent
// holds needs only its public half here.
func (p namedPath) amiss() string {
	if p.key != "catalogue" && strings.Contains(p.path, "%") {
		return ""
	}
	path := atHome(p.path)
	info, err := os.Stat(path)
	if p.key == "identity" && errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(path + ".pub"); err == nil {
			return ""
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Sprintf("%s: there is no %s; correct the path, or remove it", p.key, p.path)
	case err != nil:
		return fmt.Sprintf("%s: %v; make it readable, or correct the path", p.key, err)
	case info.IsDir() && p.key != "catalogue":
		return fmt.Sprintf("%s: %s is a folder; name a file in it", p.key, p.path)
	case !info.IsDir() && p.key == "catalogue":
		return fmt.Sprintf("%s: %s is no folder; name the folder of the .yaml files", p.key, p.path)
	case info.IsDir():
		return ""
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Sprintf("%s: %v; make it readable for you, or correct the path", p.key, err)
	}
	f.Close()
	return ""
}

// atHome is a path with ~ replaced by the home folder; as it is without one.
func atHome(path string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	return path
}

// configDir is our folder by the XDG base directory specification, on every
// system alike; "" without a home.
func configDir() string {
	base := os.Getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(base) {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		base = filepath.Join(home, ".config")
	}
	return filepath.Join(base, "chef-backend-cockpit")
}
