module reissue

go 1.21
