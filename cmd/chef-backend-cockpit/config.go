package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// config is the configuration file. Every value has a default that fits a
// stock install; the file itself may be absent.
type config struct {
	Clusters  map[string]clusterConfig `yaml:"clusters"`
	Catalogue string                   `yaml:"catalogue"` // folder of the site's own; default catalogue beside this file
}

// clusterConfig is one cluster by name.
type clusterConfig struct {
	Stamp      string       `yaml:"stamp"`       // environment stamp: PROD
	Colour     string       `yaml:"colour"`      // of the stamp: red, amber, green, blue, magenta, cyan
	Nodes      []nodeConfig `yaml:"nodes"`       // fixed order
	User       string       `yaml:"user"`        // SSH user; default as ssh(1)
	Port       int          `yaml:"port"`        // SSH port; default as ssh(1)
	Jump       string       `yaml:"jump"`        // host to jump through
	Identity   []string     `yaml:"identity"`    // private key files; default as ssh(1)
	KnownHosts []string     `yaml:"known-hosts"` // files; default as ssh(1)
}

// nodeConfig is one node; only host is needed.
type nodeConfig struct {
	Name    string `yaml:"name"`    // short name on the screen; default the host's first label
	Host    string `yaml:"host"`    // what to dial
	Address string `yaml:"address"` // the cluster's address for it; default asked from the cluster
}

// colours are the words that a stamp's colour may be.
var colours = []string{"", "red", "amber", "green", "blue", "magenta", "cyan"}

// loadConfig reads the file of --config, else the default one, which may be absent.
func (e *env) loadConfig() (config, error) {
	path, must := e.configFile, e.configFile != ""
	if !must {
		path = filepath.Join(configDir(), "config.yaml")
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && !must {
		return config{}, nil
	}
	if err != nil {
		return config{}, usage("configuration: %v", err)
	}
	return parseConfig(path, text)
}

// parseConfig reads a configuration strictly; errors name file, line, column.
func parseConfig(path string, text []byte) (config, error) {
	var c config
	if err := yaml.UnmarshalWithOptions(text, &c, yaml.Strict()); err != nil {
		return config{}, usage("%s", yamlError(path, err))
	}
	for name, cl := range c.Clusters {
		if !slices.Contains(colours, cl.Colour) {
			return config{}, usage("%s: cluster %s: unknown colour %q; use one of%s", path, name, cl.Colour, strings.Join(colours, " "))
		}
		seen := map[string]bool{}
		for i, n := range cl.Nodes {
			if n.Host == "" {
				return config{}, usage("%s: cluster %s: node %d has no host; add host: NAME_OR_ADDRESS", path, name, i+1)
			}
			if seen[n.Host] {
				return config{}, usage("%s: cluster %s: host %s stands twice; remove one", path, name, n.Host)
			}
			seen[n.Host] = true
		}
	}
	return c, nil
}

// yamlError is one line: file:line:column and what is wrong.
func yamlError(path string, err error) string {
	var at yaml.Error
	if errors.As(err, &at) && at.GetToken() != nil && at.GetToken().Position != nil {
		p := at.GetToken().Position
		return fmt.Sprintf("%s:%d:%d: %s; correct this line", path, p.Line, p.Column, at.GetMessage())
	}
	return fmt.Sprintf("%s: %s; correct the file", path, strings.TrimSpace(err.Error()))
}

// chosen is the cluster that --cluster or the only entry names; ok is false
// when hosts must be given.
func (e *env) chosen(c config) (name string, cl clusterConfig, ok bool, err error) {
	if e.cluster != "" {
		cl, ok = c.Clusters[e.cluster]
		if !ok {
			return "", cl, false, usage("no cluster %q in the configuration; it has%s", e.cluster, listed(c))
		}
		return e.cluster, cl, true, nil
	}
	if len(c.Clusters) == 1 {
		for name, cl = range c.Clusters {
			return name, cl, true, nil
		}
	}
	return "", cl, false, nil
}

// listed names the configured clusters in order.
func listed(c config) string {
	if len(c.Clusters) == 0 {
		return " none"
	}
	var names []string
	for name := range c.Clusters {
		names = append(names, " "+name)
	}
	slices.Sort(names)
	return strings.Join(names, ",")
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
