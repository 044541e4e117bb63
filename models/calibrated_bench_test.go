package models_test

import (
	"testing"

	"eevee/models"
)

func BenchmarkFitCalibrated(b *testing.B) {
	_, profile := loadProfile(b, "tpcds")
	for b.Loop() {
		if _, err := models.FitCalibrated(profile, models.CalibratedSettings{}); err != nil {
			b.Fatal(err)
		}
	}
}
