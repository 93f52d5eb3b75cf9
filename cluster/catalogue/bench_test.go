package catalogue

import (
	"testing"

	"chef-backend-cockpit/assets"
)

// BenchmarkLoad is what every start of the cockpit waits for.
func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Load(assets.Files, "catalogue"); err != nil {
			b.Fatal(err)
		}
	}
}
