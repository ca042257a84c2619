module example.com/app

go 1.22

require (
	example.com/lib v0.0.0-00010101000000-000000000000
	github.com/google/uuid v1.6.0
	github.com/klauspost/cpuid/v2 v2.2.10
	gopkg.in/yaml.v3 v3.0.1
)

require golang.org/x/sys v0.30.0 // indirect

replace example.com/lib => ../lib

replace github.com/google/uuid => github.com/google/uuid v1.5.0
