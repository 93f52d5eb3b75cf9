package cluster

import (
	"testing"

	"pgregory.net/rapid"
)

func TestLSNReadsWhatItWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := LSN(rapid.Uint64().Draw(t, "position"))
		if got, err := ParseLSN(l.String()); err != nil || got != l {
			t.Fatalf("%s read back as %s, %v", l, got, err)
		}
	})
	for _, bad := range []string{"", "/", "1/", "/1", "G/1", "1/1/1", "123456789/0", "-1/0"} {
		if l, err := ParseLSN(bad); err == nil {
			t.Errorf("%q was read as %s", bad, l)
		}
	}
}

func TestSegmentNumbersCompareAcrossTimelines(t *testing.T) {
	l, _ := ParseLSN("16F3/2D0A1B28")
	if got := l.Segment(); got != "000016F30000002D" {
		t.Errorf("segment of %s is %s", l, got)
	}
	for file, want := range map[string]string{
		"00000058000016F30000002D":                 "000016F30000002D",
		"00000059000016F30000002D":                 "000016F30000002D",
		"00000058.history":                         "",
		"00000058000016F30000002D.partial":         "",
		"00000058000016F30000002D.00000028.backup": "",
		"00000058000016f30000002d":                 "",
	} {
		if got, ok := SegmentNumber(file); got != want || ok != (want != "") {
			t.Errorf("%s: %q, %v", file, got, ok)
		}
	}
}
