package model

import "time"

// strikeAfter is when a scenario's fault strikes: long enough to see a healthy
// cluster first.
const strikeAfter = 10 * time.Second

// Scenarios are all stories, ordinary ones first.
func Scenarios() []Scenario {
	all := make([]Scenario, len(stories))
	for i, s := range stories {
		all[i] = Scenario{Name: s.name, Title: s.title, Ordinary: i < len(ordinaryStories)}
		if s.name != "healthy" {
			all[i].Faults = []TimedFault{{After: strikeAfter, Fault: s.name}}
		}
	}
	return all
}
