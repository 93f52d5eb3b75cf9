//go:build race

package main

// underRace: the detector takes memory of its own.
const underRace = true
