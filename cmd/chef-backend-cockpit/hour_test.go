package main

import (
	"reflect"
	"testing"
	"unsafe"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/cluster/catalogue"
	"chef-backend-cockpit/cluster/simulation"
	"chef-backend-cockpit/cluster/watch"
	"chef-backend-cockpit/remote"
)

// BenchmarkHour prints how much memory a moment of the last hour takes: looks
// at a healthy simulated cluster, sixteen times faster than real time.
func BenchmarkHour(b *testing.B) {
	clock := remote.NewScaled(16)
	sim, err := simulation.Start(b.Context(), simulation.Options{Clock: clock, Speed: 16, Seed: 1, StrikeAfter: -1})
	if err != nil {
		b.Fatal(err)
	}
	f, err := simulated(sim, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer f.close()
	f.clock = clock
	c, err := catalogue.Load(assets.Files, "catalogue")
	if err != nil {
		b.Fatal(err)
	}
	w, err := f.watch(watchOptions{catalogue: c})
	if err != nil {
		b.Fatal(err)
	}
	w.Start(b.Context())
	defer w.Close() //nolint:errcheck // there is no journal
	from := func() (t watch.Traveller, moments int) {
		if t, ok := w.Earlier(); ok {
			return t, t.State().Earlier.Moments
		}
		return nil, 0
	}
	for n := 0; n < 24; _, n = from() { // by then the samples of the looks have their full number
		<-clock.After(10 * watch.FastEvery)
	}
	t, n := from()
	states := []*watch.State{t.State()}
	for t.Step(-1) {
		states = append(states, t.State())
	}
	seen := map[uintptr]bool{}
	sizeOf(reflect.ValueOf(c), seen) // what all share
	b.ReportMetric(float64(sizeOf(reflect.ValueOf(states), seen))/float64(n), "B/moment")
	b.ReportMetric(float64(n), "moments")
}

// sizeOf is how much memory a value takes with everything that it leads to;
// what was seen before is not counted again.
func sizeOf(v reflect.Value, seen map[uintptr]bool) (n uintptr) {
	first := func(at uintptr) bool {
		if at == 0 || seen[at] {
			return false
		}
		seen[at] = true
		return true
	}
	switch v.Kind() {
	case reflect.String:
		if first(uintptr(unsafe.Pointer(unsafe.StringData(v.String())))) {
			n += uintptr(v.Len())
		}
	case reflect.Pointer:
		if first(v.Pointer()) {
			n += v.Type().Elem().Size() + sizeOf(v.Elem(), seen)
		}
	case reflect.Interface:
		if !v.IsNil() {
			n += v.Elem().Type().Size() + sizeOf(v.Elem(), seen)
		}
	case reflect.Slice:
		if v.Cap() > 0 && first(v.Pointer()) {
			n += uintptr(v.Cap()) * v.Type().Elem().Size()
			for i := range v.Len() {
				n += sizeOf(v.Index(i), seen)
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			n += sizeOf(v.Index(i), seen)
		}
	case reflect.Map:
		if first(v.Pointer()) {
			n += 48
			for i := v.MapRange(); i.Next(); {
				n += 16 + i.Key().Type().Size() + i.Value().Type().Size() + sizeOf(i.Key(), seen) + sizeOf(i.Value(), seen)
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			n += sizeOf(v.Field(i), seen)
		}
	}
	return n
}
